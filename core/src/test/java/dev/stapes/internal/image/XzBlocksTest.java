package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

@Timeout(60)
class XzBlocksTest {
  private static final int BLOCK = 300_000;

  private final byte[] content = new byte[7 * BLOCK + 11];
  private final Path file;

  XzBlocksTest(@TempDir Path directory) {
    this.file = directory.resolve("archive.xz");
  }

  @BeforeEach
  void fill() {
    Random random = new Random(1);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (random.nextInt(3) * i);
    }
  }

  private byte[] compressed(int block) throws IOException {
    return compressed(block, new LZMA2Options(1));
  }

  private byte[] compressed(int block, LZMA2Options options) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (XZOutputStream xz = new XZOutputStream(bytes, options)) {
      for (int at = 0; at < content.length; at += block) {
        xz.write(content, at, Math.min(block, content.length - at));
        xz.endBlock();
      }
    }
    return bytes.toByteArray();
  }

  /** An executor that has ended says so a moment before its last thread does: that is awaited. */
  private static void requireNoThread() {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("stapes-xz")) {
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> thread.join());
      }
    }
  }

  private StapesException refused(byte[] archive) throws IOException {
    Files.write(file, archive);
    try (ArchiveInput in =
        ArchiveInput.openAhead(file, ArchiveLimits.USUAL, Decoders.JAVA, Progress.NONE, "read")) {
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> {
                while (in.read(new byte[1000])) {
                  in.skip(1000);
                }
              });
      assertEquals(StapesException.Kind.INVALID, e.kind());
      return e;
    } finally {
      requireNoThread();
    }
  }

  @Test
  void several_blocks_are_the_content_in_order() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (XzBlocks blocks = XzBlocks.open(file).orElseThrow()) {
      assertArrayEquals(content, blocks.readAllBytes());
      assertEquals(-1, blocks.read());
      assertTrue(blocks.count() > Files.size(file) / 2 && blocks.count() <= Files.size(file));
    }
    requireNoThread();
  }

  @Test
  void one_block_is_for_one_thread() throws IOException {
    Files.write(file, compressed(content.length));
    assertEquals(Optional.empty(), XzBlocks.open(file));
  }

  @Test
  void who_stops_early_leaves_no_thread() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (XzBlocks blocks = XzBlocks.open(file).orElseThrow()) {
      assertEquals(content[0], (byte) blocks.read());
    }
    requireNoThread();
  }

  @Test
  void only_one_file_at_a_time_takes_the_heap() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (XzBlocks first = XzBlocks.open(file).orElseThrow()) {
      assertEquals(Optional.empty(), XzBlocks.open(file));
      first.close();
      XzBlocks.open(file).orElseThrow().close();
    }
    XzBlocks.open(file).orElseThrow().close();
  }

  @Test
  void a_dictionary_for_which_there_is_no_room_is_for_one_thread() throws IOException {
    LZMA2Options large = new LZMA2Options(1);
    large.setDictSize(32 << 20);
    Files.write(file, compressed(BLOCK, large));
    assertEquals(Optional.empty(), XzBlocks.open(file));
  }

  @Test
  void a_damaged_block_is_told() throws IOException {
    byte[] archive = compressed(BLOCK);
    archive[archive.length / 2] ^= 1;
    assertTrue(refused(archive).toString().contains("is damaged"));
  }

  @Test
  void a_file_without_its_index_is_read_as_far_as_it_goes() throws IOException {
    byte[] archive = compressed(BLOCK);
    byte[] cut = Arrays.copyOf(archive, archive.length / 2);
    assertTrue(refused(cut).toString().contains("is damaged"));
  }
}
