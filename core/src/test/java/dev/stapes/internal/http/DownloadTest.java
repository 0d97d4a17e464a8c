package dev.stapes.internal.http;

import static dev.stapes.internal.http.TestSettings.assertInterruptible;
import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files, whole and in parts. */
class DownloadTest {
  private static final byte[] CONTENT = content(1, 300_000);
  private static final byte[] OTHER = content(2, 300_000);
  private static final int CUT = 100_000;

  private final Path file;

  DownloadTest(@TempDir Path directory) {
    this.file = directory.resolve("file");
  }

  private static byte[] content(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Expected known() {
    return Expected.of(CONTENT.length, sha256(CONTENT));
  }

  private static Expected unknown() {
    return Expected.atMost(1_000_000);
  }

  private void download(LoopbackServer server, Expected expected) {
    download(server, expected, TestSettings.PATIENT, Progress.NONE);
  }

  private void download(
      LoopbackServer server, Expected expected, HttpSettings settings, Progress progress) {
    try (HttpSession session = new HttpSession(settings)) {
      session.download(HttpQuery.of(server.uri("/file")), file, expected, progress);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void assertContent(byte[] expected) throws IOException {
    assertArrayEquals(expected, Files.readAllBytes(file));
  }

  private static List<String> ranges(LoopbackServer server) {
    return server.requests().stream().map(request -> request.header("range")).toList();
  }

  @Test
  void a_file_comes_whole_and_its_progress_is_told() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, null))) {
      List<String> told = new ArrayList<>();
      download(
          server,
          known(),
          TestSettings.PATIENT,
          (stage, done, total) -> told.add(stage + done + "/" + total));
      assertContent(CONTENT);
      assertEquals("download300000/300000", told.get(told.size() - 1));
    }
  }

  @Test
  void an_empty_file_is_a_file() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(new byte[0], null))) {
      download(server, Expected.of(0, sha256(new byte[0])));
      assertContent(new byte[0]);
    }
  }

  @Test
  void after_a_cut_only_the_rest_is_asked_for() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, null, CUT))) {
      download(server, known());
      assertContent(CONTENT);
      assertEquals(List.of("", "bytes=100000-", "bytes=200000-"), ranges(server));
      assertEquals(CONTENT.length, server.sent());
    }
  }

  @Test
  void a_file_whose_hash_is_not_known_goes_on_where_its_tag_is_the_same() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, "\"one\"", CUT))) {
      download(server, unknown());
      assertContent(CONTENT);
      assertEquals(CONTENT.length, server.sent());
      assertEquals("\"one\"", server.requests().get(1).header("if-range"));
    }
  }

  @Test
  void a_file_that_changes_in_between_comes_whole() throws IOException {
    AtomicInteger count = new AtomicInteger();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              boolean first = count.getAndIncrement() == 0;
              response.file(
                  first ? CONTENT : OTHER, first ? "\"one\"" : "\"two\"", first ? CUT : 300_000);
            })) {
      download(server, unknown());
      assertContent(OTHER);
      assertEquals(2, server.requests().size());
    }
  }

  @Test
  void the_rest_of_another_file_is_not_taken() throws IOException {
    AtomicInteger count = new AtomicInteger();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (count.getAndIncrement() == 0) {
                response.file(CONTENT, "\"one\"", CUT);
              } else if (request.header("range").isEmpty()) {
                response.file(OTHER, "\"two\"");
              } else {
                response.begin(
                    206,
                    OTHER.length - CUT,
                    "ETag: \"two\"",
                    "Content-Range: bytes 100000-299999/300000");
                response.write(Arrays.copyOfRange(OTHER, CUT, OTHER.length));
              }
            })) {
      download(server, unknown());
      assertContent(OTHER);
      assertEquals(List.of("", "bytes=100000-", ""), ranges(server));
    }
  }

  @Test
  void without_hash_and_tag_a_file_begins_anew() throws IOException {
    AtomicInteger count = new AtomicInteger();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) ->
                response.file(CONTENT, null, count.getAndIncrement() == 0 ? CUT : 300_000))) {
      download(server, unknown());
      assertContent(CONTENT);
      assertEquals(List.of("", ""), ranges(server));
    }
  }

  @Test
  void a_file_that_always_breaks_is_given_up_even_if_much_of_it_comes() {
    byte[] large = content(3, 3 << 20);
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(large, null, 2 << 20))) {
      refused(Kind.UNAVAILABLE, "tried 3 times", () -> download(server, Expected.atMost(1L << 30)));
      assertEquals(3, server.requests().size());
    }
  }

  @Test
  void a_large_file_may_break_more_often_than_there_are_attempts() throws IOException {
    byte[] large = content(4, 8 << 20);
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(large, null, (1 << 20) + 1))) {
      download(server, Expected.of(large.length, sha256(large)));
      assertContent(large);
      assertEquals(8, server.requests().size());
      assertEquals(large.length, server.sent());
    }
  }

  @Test
  void a_server_that_knows_no_parts_sends_the_whole() throws IOException {
    Files.write(file, Arrays.copyOf(CONTENT, CUT));
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(200, CONTENT))) {
      download(server, known());
      assertContent(CONTENT);
      assertEquals(List.of("bytes=100000-"), ranges(server));
    }
  }

  @Test
  void the_wrong_part_is_not_taken() throws IOException {
    Files.write(file, Arrays.copyOf(CONTENT, CUT));
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.header("range").isEmpty()) {
                response.file(CONTENT, null);
              } else {
                response.send(206, OTHER, "Content-Range: bytes 0-299999/300000");
              }
            })) {
      download(server, known());
      assertContent(CONTENT);
      assertEquals(List.of("bytes=100000-", ""), ranges(server));
    }
  }

  @Test
  void what_is_there_already_is_not_asked_for() throws IOException {
    Files.write(file, CONTENT);
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(500, ""))) {
      download(server, known());
      assertContent(CONTENT);
      assertEquals(List.of(), server.requests());
    }
  }

  @Test
  void what_is_there_already_is_found_to_be_whole_without_its_size() throws IOException {
    Files.write(file, CONTENT);
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, null))) {
      download(server, new Expected(OptionalLong.empty(), Optional.of(sha256(CONTENT)), 1_000_000));
      assertContent(CONTENT);
      assertEquals(0, server.sent());
    }
  }

  @Test
  void a_part_of_something_else_is_replaced() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, null))) {
      for (byte[] stale : List.of(Arrays.copyOf(OTHER, CUT), OTHER, content(5, 400_000))) {
        Files.write(file, stale);
        download(server, known());
        assertContent(CONTENT);
      }
    }
  }

  @Test
  void a_part_beyond_the_end_is_replaced() throws IOException {
    Files.write(file, content(5, 400_000));
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, null))) {
      download(server, new Expected(OptionalLong.empty(), Optional.of(sha256(CONTENT)), 1_000_000));
      assertContent(CONTENT);
      assertEquals(List.of("bytes=400000-", ""), ranges(server));
    }
  }

  @Test
  void the_wrong_content_is_refused_and_nothing_stays() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(OTHER, null))) {
      refused(
          Kind.INVALID,
          "has SHA-256 " + sha256(OTHER) + " instead of " + sha256(CONTENT),
          () -> download(server, known()));
      assertContent(new byte[0]);
      assertEquals(1, server.requests().size());
    }
  }

  @Test
  void the_wrong_size_is_refused_and_nothing_stays() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(200, new byte[10]))) {
      refused(Kind.INVALID, "has 10 bytes instead of 300000", () -> download(server, known()));
      assertContent(new byte[0]);
    }
  }

  @Test
  void more_than_is_allowed_is_not_written() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(200, CONTENT))) {
      refused(Kind.INVALID, "allowed 1000 bytes", () -> download(server, Expected.atMost(1_000)));
      assertTrue(Files.size(file) <= 1_000);
      assertEquals(1, server.requests().size());
    }
  }

  @Test
  void what_has_come_stays_when_the_server_is_given_up() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.header("range").isEmpty()) {
                response.file(CONTENT, null, CUT);
              } else {
                response.send(503, "");
              }
            })) {
      refused(Kind.UNAVAILABLE, "503", () -> download(server, known()));
      assertContent(Arrays.copyOf(CONTENT, CUT));
    }
  }

  @Test
  void a_silent_server_is_asked_for_the_rest() throws IOException {
    AtomicInteger count = new AtomicInteger();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              boolean first = count.getAndIncrement() == 0;
              response.file(CONTENT, null, first ? CUT : 300_000);
              if (first) {
                response.hang();
              }
            })) {
      HttpSettings settings = TestSettings.silence(Duration.ofSeconds(3), 2);
      download(server, known(), settings, Progress.NONE);
      assertContent(CONTENT);
      assertEquals(List.of("", "bytes=100000-"), ranges(server));
    }
  }

  @Test
  void an_interrupt_ends_it_and_what_has_come_stays() throws Exception {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              response.file(CONTENT, null, CUT);
              response.hang();
            })) {
      assertInterruptible(server, () -> download(server, known()));
      assertTrue(Files.size(file) <= CUT);
    }
  }

  @Test
  void an_interrupt_ends_the_check_of_what_is_there() throws IOException {
    Files.write(file, CONTENT);
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(500, ""))) {
      Thread.currentThread().interrupt();
      refused(Kind.INTERRUPTED, "interrupted", () -> download(server, known()));
      assertTrue(Thread.interrupted());
      assertContent(CONTENT);
    }
  }

  @Test
  void a_file_that_cannot_be_written_is_told_as_such() throws IOException {
    Files.createDirectory(file);
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(CONTENT, null))) {
      assertThrows(UncheckedIOException.class, () -> download(server, known()));
      assertEquals(List.of(), server.requests());
    }
  }
}
