package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReadAheadTest {
  private static final int LENGTH = 9_000_001;

  private final byte[] content = new byte[LENGTH];
  private final Path file;

  ReadAheadTest(@TempDir Path directory) {
    this.file = directory.resolve("archive");
    new Random(1).nextBytes(content);
  }

  private ArchiveInput open() {
    return ArchiveInput.openAhead(file, ArchiveLimits.USUAL, Decoders.JAVA, Progress.NONE, "read");
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("stapes-decode"))
        .count();
  }

  @Test
  void the_content_is_that_of_the_file() throws IOException {
    Files.write(file, Zstd.compress(content));
    byte[] read = new byte[LENGTH];
    try (ArchiveInput in = open()) {
      assertTrue(in.read(read));
      assertEquals(false, in.read(new byte[1]));
      assertEquals(false, in.read(new byte[1]), "the end stays the end");
    }
    assertArrayEquals(content, read);
    assertEquals(0, threads());
  }

  @Test
  void damage_is_told_where_it_is_and_not_before() throws IOException {
    byte[] damaged = Zstd.compress(content);
    damaged[damaged.length - 100_000] ^= 0x55;
    damaged[8_000_000] ^= 0x55;
    Files.write(file, Arrays.copyOf(damaged, damaged.length - 50_000));
    try (ArchiveInput in = open()) {
      assertTrue(in.read(new byte[1_000_000]));
      StapesException e =
          assertThrows(StapesException.class, () -> in.read(new byte[LENGTH - 1_000_000]));
      assertEquals(StapesException.Kind.INVALID, e.kind());
      assertThrows(StapesException.class, () -> in.read(new byte[1]), "it stays damaged");
    }
    assertEquals(0, threads());
  }

  @Test
  void an_interrupt_of_the_decoder_by_others_is_told() throws IOException {
    Files.write(file, Zstd.compress(content));
    try (ArchiveInput in = open()) {
      assertTrue(in.read(new byte[10]));
      Thread.getAllStackTraces().keySet().stream()
          .filter(thread -> thread.getName().equals("stapes-decode"))
          .forEach(Thread::interrupt);
      StapesException e = assertThrows(StapesException.class, () -> in.read(new byte[LENGTH - 10]));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
    }
    assertEquals(0, threads());
  }

  @Test
  void who_stops_early_waits_for_nothing() throws IOException {
    Files.write(file, Zstd.compress(content));
    try (ArchiveInput in = open()) {
      assertTrue(in.read(new byte[10]));
    }
    assertEquals(0, threads());
  }

  @Test
  void an_interrupt_ends_it_and_stays_visible() throws IOException {
    Files.write(file, Zstd.compress(content));
    try (ArchiveInput in = open()) {
      Thread.currentThread().interrupt();
      StapesException e = assertThrows(StapesException.class, () -> in.read(new byte[10]));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals(0, threads());
  }
}
