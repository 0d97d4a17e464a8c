package dev.stapes.internal.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Logs in two files that take turns, read whole and followed. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FollowedLogTest {
  @TempDir Path directory;
  private LogFiles files;
  private final CompletableFuture<String> ended = new CompletableFuture<>();
  private final List<FollowedLog> closed = new ArrayList<>();

  @BeforeEach
  void name() {
    files = new LogFiles(directory.resolve("console.log"));
  }

  private void write(String text) throws IOException {
    Files.writeString(files.current(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private void turn() throws IOException {
    Files.move(files.current(), files.before(), StandardCopyOption.REPLACE_EXISTING);
  }

  /** As it is done where the writer has the file open. */
  private void turnByCopy() throws IOException {
    Files.copy(files.current(), files.coming());
    try (FileChannel emptied = FileChannel.open(files.current(), StandardOpenOption.WRITE)) {
      emptied.truncate(0);
    }
    Files.move(files.coming(), files.before(), StandardCopyOption.REPLACE_EXISTING);
  }

  private FollowedLog follow() throws IOException {
    FollowedLog log = new FollowedLog(files, closed::add);
    var unused = ended.whenComplete((how, failure) -> log.end());
    return log;
  }

  private static String next(InputStream log, int count) throws IOException {
    return new String(log.readNBytes(count), StandardCharsets.UTF_8);
  }

  private static String rest(InputStream log) throws IOException {
    return new String(log.readAllBytes(), StandardCharsets.UTF_8);
  }

  private String end(int most) throws IOException {
    return new String(files.end(most), StandardCharsets.UTF_8);
  }

  @Test
  void a_log_that_was_never_written_is_empty() throws IOException {
    assertEquals("", end(100));
    ended.complete("over");
    try (FollowedLog log = follow()) {
      assertEquals(-1, log.read());
      assertEquals(0, log.read(new byte[1], 0, 0));
    }
  }

  @Test
  void the_end_of_a_log_goes_over_both_files() throws IOException {
    write("one ");
    assertEquals("one ", end(100));
    turn();
    assertEquals("one ", end(100));
    write("two");
    assertEquals("one two", end(100));
    assertEquals("e two", end(5));
    assertEquals("wo", end(2));
    assertEquals("", end(0));
  }

  @Test
  void links_are_not_followed() throws IOException {
    Path secret = Files.writeString(directory.resolve("secret"), "secret");
    Files.createSymbolicLink(files.current(), secret);
    Files.createSymbolicLink(files.before(), secret);
    assertEquals("", end(100));
    ended.complete("over");
    try (FollowedLog log = follow()) {
      assertEquals("", rest(log));
    }
    Files.delete(files.current());
    Files.createDirectory(files.current());
    assertEquals("", end(100));
  }

  @Test
  void what_comes_is_read_through_the_turns_of_the_files() throws IOException {
    write("zero ");
    turn();
    write("one ");
    try (FollowedLog log = follow()) {
      assertEquals("zero one ", next(log, 9));
      write("two ");
      assertEquals("two ", next(log, 4));
      write("three ");
      turn();
      write("four ");
      assertEquals("three four ", next(log, 11));
      turn();
      CompletableFuture<String> more = CompletableFuture.supplyAsync(() -> quietly(log, 5));
      write("five ");
      assertEquals("five ", more.join());
      write("six");
      ended.complete("over");
      assertEquals("six", rest(log));
    }
    assertEquals(1, closed.size());
  }

  private static String quietly(InputStream log, int count) {
    try {
      return next(log, count);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void who_is_too_slow_misses_what_is_gone_and_nothing_else() throws IOException {
    write("one ");
    try (FollowedLog log = follow()) {
      assertEquals("one ", next(log, 4));
      write("still ");
      turn();
      write("gone ");
      turn();
      write("two ");
      turn();
      write("three");
      ended.complete("over");
      assertEquals("still two three", rest(log));
    }
  }

  @Test
  void what_comes_is_read_through_turns_by_copy() throws IOException {
    write("one ");
    try (FollowedLog log = follow()) {
      assertEquals("one ", next(log, 4));
      write("two ");
      turnByCopy();
      write("three ");
      assertEquals("two three ", next(log, 10));
      turnByCopy();
      CompletableFuture<String> more = CompletableFuture.supplyAsync(() -> quietly(log, 5));
      write("four ");
      assertEquals("four ", more.join());
      turnByCopy();
      write("a text that is longer than what was put aside");
      assertEquals("a text that", next(log, 11));
      turnByCopy();
      turnByCopy();
      write("six");
      ended.complete("over");
      assertEquals("six", rest(log));
    }
  }

  @Test
  void who_is_too_slow_for_turns_by_copy_reads_nothing_twice() throws IOException {
    write("one ");
    try (FollowedLog log = follow();
        FollowedLog slower = follow()) {
      assertEquals("one ", next(log, 4));
      write("gone ");
      turnByCopy();
      write("gone too ");
      turnByCopy();
      write("two ");
      turnByCopy();
      write("three");
      ended.complete("over");
      assertEquals("two three", rest(log));
      assertEquals("two three", rest(slower));
    }
  }

  @Test
  void what_the_next_run_puts_aside_is_not_read() throws IOException {
    write("before ");
    turnByCopy();
    write("last");
    try (FollowedLog log = follow();
        FollowedLog done = follow()) {
      assertEquals("before la", next(log, 9));
      assertEquals("before last", next(done, 11));
      ended.complete("over");
      write(" and the next run");
      turnByCopy();
      write("more");
      assertEquals("st", rest(log));
      assertEquals("", rest(done));
    }
  }

  @Test
  void what_was_there_is_read_also_when_the_files_are_removed() throws IOException {
    write("kept ");
    try (FollowedLog log = follow()) {
      write("until it ends");
      Files.delete(files.current());
      ended.complete("over");
      assertEquals("kept until it ends", rest(log));
    }
  }

  @Test
  void a_log_that_begins_later_is_waited_for() throws Exception {
    try (FollowedLog log = follow()) {
      CompletableFuture<String> first = CompletableFuture.supplyAsync(() -> quietly(log, 5));
      write("first");
      assertEquals("first", first.get(20, TimeUnit.SECONDS));
    }
  }

  @Test
  void an_end_that_failed_is_an_end() throws IOException {
    write("all");
    ended.completeExceptionally(new IllegalStateException("nobody knows how"));
    try (FollowedLog log = follow()) {
      assertArrayEquals("all".getBytes(StandardCharsets.UTF_8), log.readAllBytes());
    }
  }

  @Test
  void a_close_ends_a_read_that_waits() throws Exception {
    FollowedLog log = follow();
    CompletableFuture<Integer> reading =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return log.read();
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    while (!waits("FollowedLog", "await")) {
      Thread.onSpinWait();
    }
    log.close();
    log.close();
    assertThrows(ExecutionException.class, () -> reading.get(20, TimeUnit.SECONDS));
    assertThrows(IOException.class, log::read);
  }

  private static boolean waits(String type, String method) {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(each -> each.getKey().getState() == Thread.State.TIMED_WAITING)
        .flatMap(each -> Stream.of(each.getValue()))
        .anyMatch(
            frame -> frame.getClassName().endsWith(type) && frame.getMethodName().equals(method));
  }

  @Test
  void an_interrupt_ends_a_read_and_not_the_log() throws IOException {
    write("ab");
    try (FollowedLog log = follow()) {
      assertEquals('a', log.read());
      for (int i = 0; i < 2; i++) {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedIOException.class, log::read);
        assertTrue(Thread.interrupted());
      }
      assertEquals('b', log.read());
      write("x");
      assertEquals('x', log.read());
    }
  }

  @Test
  void what_is_written_behind_the_end_is_not_read() throws IOException {
    write("before ");
    turn();
    write("last");
    try (FollowedLog slow = follow();
        FollowedLog slower = follow()) {
      assertEquals("before last", next(slow, 11));
      ended.complete("over");
      write(" and the next run");
      assertEquals("", rest(slow));
      assertEquals("before last", rest(slower));
    }
  }

  @Test
  void a_log_that_is_copied_for_the_next_run_is_not_read_twice() throws IOException {
    write("before ");
    turn();
    write("last");
    try (FollowedLog log = follow()) {
      assertEquals("before last", next(log, 11));
      ended.complete("over");
      Path copy = Files.writeString(files.coming(), "last and the next run");
      Files.move(copy, files.current(), StandardCopyOption.REPLACE_EXISTING);
      assertEquals("", rest(log));
    }
  }
}
