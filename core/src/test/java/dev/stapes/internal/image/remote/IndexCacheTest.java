package dev.stapes.internal.image.remote;

import static dev.stapes.internal.http.TestSettings.PATIENT;
import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.http.LoopbackServer;
import dev.stapes.internal.image.SmallImage;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IndexCacheTest {
  private final Path directory;
  private volatile String text = "one";
  private volatile String tag = "\"one\"";
  private volatile int trouble;

  private final LoopbackServer server =
      new LoopbackServer(
          (request, response) -> {
            if (trouble > 0) {
              response.send(trouble, "");
            } else if (request.path().equals("/dated")) {
              boolean same = request.header("if-modified-since").equals("Thu, 01 Jan 2026");
              response.send(same ? 304 : 200, same ? "" : text, "Last-Modified: Thu, 01 Jan 2026");
            } else {
              response.file(SmallImage.bytes(text), request.path().equals("/bare") ? null : tag);
            }
          });

  IndexCacheTest(@TempDir Path directory) {
    this.directory = directory;
  }

  @AfterEach
  void close() {
    server.close();
  }

  private String get(String path) {
    return get(path, 1_000);
  }

  private String get(String path, int most) {
    try (HttpSession session = new HttpSession(PATIENT)) {
      return new IndexCache(session, Optional.of(directory))
          .get(
              HttpQuery.of(server.uri(path)),
              most,
              body -> {
                String read = new String(body, StandardCharsets.UTF_8);
                if (read.startsWith("bad")) {
                  throw StapesException.invalid("document", "bad");
                }
                return read;
              });
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  @Test
  void what_has_not_changed_does_not_come_again() throws IOException {
    assertEquals("one", get("/"));
    assertEquals(3, server.sent());
    assertEquals("one", get("/"));
    assertEquals(3, server.sent());
    assertEquals(1, files().size());
    text = "two";
    tag = "\"two\"";
    assertEquals("two", get("/"));
    assertEquals("two", get("/"));
    assertEquals(6, server.sent());
    assertEquals(1, files().size());
  }

  @Test
  void a_date_is_as_good_as_a_tag() {
    assertEquals("one", get("/dated"));
    assertEquals("one", get("/dated"));
    assertEquals(3, server.sent());
  }

  @Test
  void what_cannot_be_recognised_is_not_kept() throws IOException {
    assertEquals("one", get("/bare"));
    assertEquals("one", get("/bare"));
    assertEquals(6, server.sent());
    assertEquals(List.of(), files());
  }

  @Test
  void documents_of_different_addresses_are_different() throws IOException {
    get("/a");
    get("/b");
    assertEquals(2, files().size());
    assertEquals(6, server.sent());
  }

  @Test
  void what_is_no_good_is_not_kept() throws IOException {
    text = "bad";
    refused(Kind.INVALID, "bad", () -> get("/"));
    assertEquals(List.of(), files());
    text = "good";
    assertEquals("good", get("/"));
  }

  @Test
  void what_was_kept_is_not_taken_for_an_answer() {
    get("/");
    trouble = 500;
    refused(Kind.UNAVAILABLE, "answers 500", () -> get("/"));
    trouble = 404;
    refused(Kind.NOT_FOUND, "answers 404", () -> get("/"));
    trouble = 0;
    assertEquals("one", get("/"));
  }

  @Test
  void a_damaged_file_is_as_if_it_was_not_there() throws IOException {
    get("/");
    byte[] whole = Files.readAllBytes(files().get(0));
    for (int length = 0; length < whole.length; length++) {
      byte[] damaged = whole.clone();
      damaged[length] ^= 0x01;
      Files.write(files().get(0), damaged);
      assertEquals("one", get("/"), "byte " + length);
    }
    Files.write(files().get(0), new byte[0]);
    assertEquals("one", get("/"));
    Files.write(files().get(0), new byte[] {0, 3, 'a'});
    assertEquals("one", get("/"));
  }

  @Test
  void what_is_kept_has_the_same_limit_as_what_comes() {
    get("/");
    refused(Kind.INVALID, "allowed 2 bytes", () -> get("/", 2));
  }
}
