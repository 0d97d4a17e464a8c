package dev.stapes.internal.image.remote;

import static dev.stapes.internal.http.TestSettings.PATIENT;
import static dev.stapes.internal.http.TestSettings.assertInterruptible;
import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.http.Expected;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.http.LoopbackServer;
import dev.stapes.internal.image.SmallImage;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadCacheTest {
  private static final byte[] CONTENT = content();
  private static final String SHA256 = SmallImage.sha256(CONTENT);
  private static final Expected KNOWN = Expected.of(CONTENT.length, SHA256);

  private final Path root;
  private final Path part;

  DownloadCacheTest(@TempDir Path root) throws IOException {
    this.root = root;
    this.part = Files.createDirectory(root.resolve("cache")).resolve(SHA256 + ".part");
  }

  private static byte[] content() {
    byte[] bytes = new byte[200_000];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private Path bring(LoopbackServer server, Expected expected) {
    ImageSource.Context context = SmallImage.context(root);
    try (HttpSession session = new HttpSession(PATIENT)) {
      return new DownloadCache(session, context)
          .bring(HttpQuery.of(server.uri("/file")), expected, "image");
    }
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.list(part.getParent())) {
      return files.toList();
    }
  }

  private static LoopbackServer good() {
    return new LoopbackServer((request, response) -> response.file(CONTENT, null));
  }

  @Test
  void a_file_comes_into_the_work_directory_and_nothing_stays_in_the_cache() throws IOException {
    try (LoopbackServer server = good()) {
      Path file = bring(server, KNOWN);
      assertArrayEquals(CONTENT, Files.readAllBytes(file));
      assertTrue(root.relativize(file).toString().matches("work.*/image"), file.toString());
      assertEquals(List.of(), cached());
    }
  }

  @Test
  void what_an_interrupted_import_has_brought_is_not_brought_again() throws Exception {
    AtomicInteger count = new AtomicInteger();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              boolean first = count.getAndIncrement() == 0;
              response.file(CONTENT, null, first ? 50_000 : CONTENT.length);
              if (first) {
                awaitSize(50_000);
                response.hang();
              }
            })) {
      assertInterruptible(server, () -> bring(server, KNOWN));
      assertEquals(50_000, Files.size(part));
      assertArrayEquals(CONTENT, Files.readAllBytes(bring(server, KNOWN)));
      assertEquals("bytes=50000-", server.requests().get(1).header("range"));
      assertEquals(CONTENT.length, server.sent());
    }
  }

  private void awaitSize(long size) throws IOException {
    while (!Files.exists(part) || Files.size(part) < size) {
      Thread.onSpinWait();
    }
  }

  @Test
  void a_part_of_something_else_does_no_harm() throws IOException {
    try (LoopbackServer server = good()) {
      for (byte[] stale :
          List.of(new byte[10], new byte[CONTENT.length], new byte[CONTENT.length + 1])) {
        Files.write(part, stale);
        assertArrayEquals(CONTENT, Files.readAllBytes(bring(server, KNOWN)));
        assertEquals(List.of(), cached());
      }
    }
  }

  @Test
  void what_is_whole_already_is_only_moved() throws IOException {
    Files.write(part, CONTENT);
    try (LoopbackServer server = good()) {
      assertArrayEquals(CONTENT, Files.readAllBytes(bring(server, KNOWN)));
      assertEquals(List.of(), server.requests());
    }
  }

  @Test
  void nothing_stays_of_the_wrong_content() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.file(new byte[CONTENT.length], null))) {
      refused(Kind.INVALID, "has SHA-256", () -> bring(server, KNOWN));
      assertEquals(List.of(), cached());
    }
  }

  @Test
  void what_has_come_before_the_server_broke_stays() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.header("range").isEmpty()) {
                response.file(CONTENT, null, 1_000);
              } else {
                response.send(500, "");
              }
            })) {
      refused(Kind.UNAVAILABLE, "500", () -> bring(server, KNOWN));
      assertArrayEquals(Arrays.copyOf(CONTENT, 1_000), Files.readAllBytes(part));
    }
  }

  @Test
  void a_file_that_nothing_is_known_of_is_not_kept() throws IOException {
    try (LoopbackServer server = good()) {
      assertArrayEquals(
          CONTENT, Files.readAllBytes(bring(server, Expected.atMost(CONTENT.length))));
      assertEquals(List.of(), cached());
    }
  }

  @Test
  void two_imports_of_the_same_file_do_not_mix() throws Exception {
    CountDownLatch both = new CountDownLatch(1);
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              most.accumulateAndGet(running.incrementAndGet(), Math::max);
              both.await();
              running.decrementAndGet(); // the next one may come before the answer has ended here
              response.file(CONTENT, null);
            })) {
      List<CompletableFuture<Path>> imports =
          Stream.of(1, 2)
              .map(i -> CompletableFuture.supplyAsync(() -> bring(server, KNOWN)))
              .toList();
      both.countDown();
      for (CompletableFuture<Path> done : imports) {
        assertArrayEquals(CONTENT, Files.readAllBytes(done.get()));
      }
      assertEquals(2, server.requests().size());
      assertEquals(1, most.get());
    }
  }

  @Test
  void whoever_waits_for_another_import_can_be_interrupted() throws Exception {
    try (LoopbackServer server = new LoopbackServer((request, response) -> response.hang())) {
      Thread first = new Thread(() -> refused(Kind.INTERRUPTED, "", () -> bring(server, KNOWN)));
      first.start();
      server.awaitHanging();
      CompletableFuture<Boolean> flag = new CompletableFuture<>();
      Thread second =
          new Thread(
              () -> {
                refused(Kind.INTERRUPTED, "another import", () -> bring(server, KNOWN));
                flag.complete(Thread.currentThread().isInterrupted());
              });
      second.start();
      while (second.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      second.interrupt();
      assertTrue(flag.get());
      first.interrupt();
      first.join();
      second.join();
      assertEquals(1, server.requests().size());
    }
  }
}
