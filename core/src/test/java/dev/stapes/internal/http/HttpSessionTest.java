package dev.stapes.internal.http;

import static dev.stapes.internal.http.TestSettings.assertInterruptible;
import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small answers, and everything that may come instead of one. */
class HttpSessionTest {
  private static final HttpSettings SETTINGS = TestSettings.PATIENT;
  private static final HttpSettings IMPATIENT = TestSettings.silence(Duration.ofSeconds(2), 2);

  private static Answer get(URI uri) {
    return get(HttpQuery.of(uri), SETTINGS);
  }

  private static Answer get(HttpQuery query, HttpSettings settings) {
    try (HttpSession session = new HttpSession(settings)) {
      return session.get(query, 1_000);
    }
  }

  private static String text(Answer answer) {
    return new String(answer.body(), StandardCharsets.UTF_8);
  }

  @Test
  void an_answer_has_its_body_and_headers() {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(200, "hello", "X-Some: thing"))) {
      Answer answer = get(server.uri("/a?b"));
      assertEquals("hello", text(answer));
      assertEquals(Optional.of("thing"), answer.headers().firstValue("x-some"));
      assertEquals("/a?b", server.requests().get(0).path());
    }
  }

  @Test
  void a_body_may_have_as_many_bytes_as_are_allowed_and_not_one_more() {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) ->
                response.send(200, new byte[request.path().equals("/most") ? 1_000 : 1_001]))) {
      assertEquals(1_000, get(server.uri("/most")).body().length);
      refused(Kind.INVALID, "1000 bytes", () -> get(server.uri("/more")));
      assertEquals(2, server.requests().size());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "400,UNAVAILABLE",
    "401,DENIED",
    "403,DENIED",
    "404,NOT_FOUND",
    "410,NOT_FOUND",
    "206,UNAVAILABLE",
    "304,UNAVAILABLE"
  })
  void what_will_not_change_is_asked_once(int status, Kind kind) {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(status, "no"))) {
      StapesException e =
          refused(kind, "answers " + status, () -> get(server.uri("/a?secret=word")));
      assertFalse(e.toString().contains("word"), e.toString());
      assertEquals(server.uri("/a").toString(), e.subject());
      assertEquals(1, server.requests().size());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502, 503})
  void trouble_that_passes_is_waited_out(int status) {
    AtomicInteger left = new AtomicInteger(2);
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              boolean ready = left.getAndDecrement() <= 0;
              response.send(ready ? 200 : status, ready ? "ready" : "wait");
            })) {
      assertEquals("ready", text(get(server.uri("/"))));
      assertEquals(3, server.requests().size());
    }
  }

  @Test
  void trouble_that_stays_is_told_with_the_number_of_attempts() {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(503, ""))) {
      refused(Kind.UNAVAILABLE, "answers 503, tried 3 times", () -> get(server.uri("/")));
      assertEquals(3, server.requests().size());
    }
  }

  @Test
  void a_server_that_asks_to_wait_is_waited_for() {
    AtomicInteger left = new AtomicInteger(1);
    List<Long> times = Collections.synchronizedList(new ArrayList<>());
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              times.add(System.nanoTime());
              boolean ready = left.getAndDecrement() <= 0;
              response.send(ready ? 200 : 429, "", "Retry-After: 1");
            })) {
      get(server.uri("/"));
      assertTrue(times.get(1) - times.get(0) >= 900_000_000, times.toString());
    }
  }

  @Test
  void a_server_that_asks_to_wait_too_long_is_not_waited_for() {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(429, "", "Retry-After: 3600"))) {
      refused(Kind.UNAVAILABLE, "asks to wait 3600 s", () -> get(server.uri("/")));
      assertEquals(1, server.requests().size());
    }
  }

  @Test
  void a_server_that_says_nothing_is_given_up() {
    try (LoopbackServer server = new LoopbackServer((request, response) -> response.hang())) {
      refused(
          Kind.UNAVAILABLE,
          "says nothing for 2000 ms, tried 2 times",
          () -> get(HttpQuery.of(server.uri("/")), IMPATIENT));
    }
  }

  @Test
  void a_server_that_stops_in_the_middle_is_given_up() {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              response.begin(200, 100);
              response.write(new byte[10]);
              response.hang();
            })) {
      refused(
          Kind.UNAVAILABLE, "says nothing", () -> get(HttpQuery.of(server.uri("/")), IMPATIENT));
      assertEquals(2, server.requests().size());
    }
  }

  @Test
  void a_connection_that_breaks_is_made_again() {
    AtomicInteger left = new AtomicInteger(1);
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (left.getAndDecrement() > 0) {
                response.begin(200, 100);
                response.write(new byte[10]);
              } else {
                response.send(200, "whole");
              }
            })) {
      assertEquals("whole", text(get(server.uri("/"))));
    }
  }

  @Test
  void what_is_no_http_is_told_as_a_failed_connection() {
    try (LoopbackServer server = new LoopbackServer((request, response) -> {})) {
      refused(Kind.UNAVAILABLE, "the connection failed", () -> get(server.uri("/")));
    }
  }

  @Test
  void a_server_that_is_not_there_is_unavailable() throws IOException {
    int port;
    try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = gone.getLocalPort();
    }
    refused(
        Kind.UNAVAILABLE,
        "the connection failed: ConnectException",
        () -> get(URI.create("http://127.0.0.1:" + port + "/")));
    refused(
        Kind.UNAVAILABLE,
        "its host name has no address, tried 3 times",
        () -> get(URI.create("http://nowhere.invalid/")));
  }

  @Test
  void redirects_are_followed_as_far_as_is_allowed() {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              int left = Integer.parseInt(request.path().substring(1));
              if (left > 0) {
                response.redirect("/" + (left - 1));
              } else {
                response.send(200, "end");
              }
            })) {
      Answer answer = get(server.uri("/4"));
      assertEquals("end", text(answer));
      assertEquals(server.uri("/0"), answer.uri());
      refused(Kind.UNAVAILABLE, "after 4 of them", () -> get(server.uri("/5")));
      assertEquals(5 + 5, server.requests().size());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "ftp://example.org/", "http://", "http://a:70000/", "::%", "mailto:a"})
  void a_redirect_to_nowhere_is_refused(String location) {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.redirect(location))) {
      refused(Kind.UNAVAILABLE, "no address", () -> get(server.uri("/")));
    }
  }

  @Test
  void a_server_that_asks_who_it_is_gets_an_answer_once() {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              boolean known = request.header("authorization").equals("Bearer token");
              response.send(known ? 200 : 401, "", "WWW-Authenticate: Bearer realm=\"x\"");
            })) {
      Token right = new Token(server.uri("/"), "token");
      assertEquals(200, get(new HttpQuery(server.uri("/"), Map.of(), right), SETTINGS).status());
      assertEquals(List.of("Bearer realm=\"x\""), right.challenges);
      Token wrong = new Token(server.uri("/"), "other");
      StapesException e =
          refused(
              Kind.DENIED,
              "401",
              () -> get(new HttpQuery(server.uri("/"), Map.of(), wrong), SETTINGS));
      assertFalse(e.toString().contains("other"), e.toString());
      assertEquals(4, server.requests().size());
    }
  }

  /** Tells one origin, once it was asked. */
  private static final class Token implements Credentials {
    private final URI origin;
    private final String token;
    private final List<String> challenges = new ArrayList<>();

    Token(URI origin, String token) {
      this.origin = origin;
      this.token = token;
    }

    @Override
    public Optional<String> authorization(URI uri) {
      boolean told = !challenges.isEmpty() && uri.getAuthority().equals(origin.getAuthority());
      return told ? Optional.of("Bearer " + token) : Optional.empty();
    }

    @Override
    public boolean answer(URI uri, String challenge) {
      challenges.add(challenge);
      return true;
    }
  }

  @Test
  void another_host_is_not_told_what_the_first_one_was() {
    CompletableFuture<URI> elsewhere = new CompletableFuture<>();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.header("host").startsWith("localhost")) {
                response.send(200, "here");
              } else if (request.header("authorization").isEmpty()) {
                response.send(401, "", "WWW-Authenticate: Basic");
              } else {
                response.redirect(elsewhere.join().toString());
              }
            })) {
      elsewhere.complete(server.otherUri("/there"));
      Token token = new Token(server.uri("/"), "token");
      HttpQuery query = new HttpQuery(server.uri("/"), Map.of("X-All", "yes"), token);
      assertEquals("here", text(get(query, SETTINGS)));
      assertEquals(
          List.of("", "Bearer token", ""),
          server.requests().stream().map(request -> request.header("authorization")).toList());
      assertEquals("yes", server.requests().get(2).header("x-all"));
    }
  }

  @Test
  void what_has_not_changed_is_said_where_it_was_asked() {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(new byte[3], "\"one\""))) {
      HttpQuery query = HttpQuery.of(server.uri("/"));
      assertTrue(get(query.with(HttpQuery.IF_NONE_MATCH, "\"one\""), SETTINGS).isNotModified());
      assertArrayEquals(
          new byte[3], get(query.with(HttpQuery.IF_NONE_MATCH, "\"two\""), SETTINGS).body());
    }
  }

  @Test
  void a_head_brings_the_headers_or_nothing() {
    AtomicInteger trouble = new AtomicInteger(1);
    try (LoopbackServer server =
            new LoopbackServer(
                (request, response) -> {
                  int status = Integer.parseInt(request.path().substring(1));
                  boolean passing = status == 200 && trouble.getAndDecrement() > 0;
                  response.send(passing ? 503 : status, "body", "X-Some: thing");
                });
        HttpSession session = new HttpSession(SETTINGS)) {
      Answer answer = session.head(HttpQuery.of(server.uri("/200"))).orElseThrow();
      assertEquals(Optional.of("thing"), answer.headers().firstValue("X-Some"));
      for (String refused : List.of("/403", "/404", "/405", "/501")) {
        assertTrue(session.head(HttpQuery.of(server.uri(refused))).isEmpty());
      }
      assertEquals(6, server.requests().size());
      assertEquals("HEAD", server.requests().get(0).method());
    }
  }

  @Test
  void an_interrupt_ends_the_waiting_for_an_answer() throws Exception {
    try (LoopbackServer server = new LoopbackServer((request, response) -> response.hang())) {
      assertInterruptible(server, () -> get(server.uri("/")));
    }
  }

  @Test
  void an_interrupt_ends_the_waiting_for_the_rest() throws Exception {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              response.begin(200, 100);
              response.write(new byte[10]);
              response.hang();
            })) {
      assertInterruptible(server, () -> get(server.uri("/")));
    }
  }

  @Test
  void an_interrupt_ends_the_pause_before_the_next_attempt() throws Exception {
    HttpSettings slow =
        new HttpSettings(
            SETTINGS.connect(),
            SETTINGS.silence(),
            3,
            Duration.ofHours(1),
            Duration.ofHours(1),
            1,
            SETTINGS.proxies());
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              response.send(500, "");
              response.hang();
            })) {
      assertInterruptible(server, () -> get(HttpQuery.of(server.uri("/")), slow));
    }
  }

  @Test
  void nothing_is_left_running_when_it_is_closed() throws InterruptedException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(200, ""))) {
      get(server.uri("/"));
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().equals("stapes-http")) {
          thread.join(Duration.ofMinutes(1).toMillis()); // it has ended, but for its last steps
          assertFalse(thread.isAlive());
        }
      }
    }
  }
}
