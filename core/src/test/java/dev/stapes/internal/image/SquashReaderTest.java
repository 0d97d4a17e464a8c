package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reads {@code sample.squashfs}, which mksquashfs(1) made in blocks of 4 KiB, and what becomes of
 * it when it is damaged. It has {@code a/deep/file} of 10,001 bytes, {@code a/second} as another
 * name of it, {@code hole} of 12,288 zeros, {@code small}, {@code empty/}, {@code link}, {@code
 * pipe}, the device {@code null} and 300 files in {@code many/}.
 */
@Timeout(120)
class SquashReaderTest {
  private final Path directory;

  SquashReaderTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private static byte[] sample() throws IOException {
    try (InputStream in = SquashReaderTest.class.getResourceAsStream("sample.squashfs")) {
      return Objects.requireNonNull(in).readAllBytes();
    }
  }

  private MemoryTree unpacked(byte[] content, ArchiveLimits limits) throws IOException {
    Path file = Files.write(directory.resolve("image"), content);
    MemoryTree tree = new MemoryTree();
    new RootfsUnpacker(tree, true, limits, Decoders.JAVA)
        .unpack(new ImageParts(directory.resolve("none"), Optional.of(file)), Progress.NONE);
    return tree;
  }

  private StapesException refused(Kind kind, byte[] content, ArchiveLimits limits) {
    StapesException e = assertThrows(StapesException.class, () -> unpacked(content, limits));
    assertEquals(kind, e.kind(), e.toString());
    return e;
  }

  @Test
  void everything_in_it_is_made() throws IOException {
    MemoryTree tree = unpacked(sample(), ArchiveLimits.USUAL);

    Tree.Stat file = tree.stat("a/deep/file").orElseThrow();
    assertEquals(10_001, file.size());
    assertEquals(0640, file.mode());
    assertEquals(1_234, file.uid());
    assertEquals(70_000, file.gid());
    assertEquals(file.inode(), tree.stat("a/second").orElseThrow().inode());
    try (InputStream in = tree.read("a/deep/file")) {
      byte[] expected = new byte[10_001];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = (byte) (i * 7 + i / 256);
      }
      assertArrayEquals(expected, in.readAllBytes());
    }
    try (InputStream in = tree.read("hole")) {
      assertArrayEquals(new byte[12_288], in.readAllBytes());
    }
    assertEquals("../x", tree.readlink("link"));
    assertEquals(Tree.Type.FIFO, tree.stat("pipe").orElseThrow().type());
    Tree.Stat device = tree.stat("null").orElseThrow();
    assertEquals(Tree.Type.CHARACTER_DEVICE, device.type());
    assertEquals(List.of(1, 3), List.of(device.deviceMajor(), device.deviceMinor()));
    assertTrue(tree.list("empty").isEmpty());
    assertEquals(300, tree.list("many").size());
    assertArrayEquals(new byte[] {'v'}, tree.xattrs("small").get("user.x"));
  }

  @Test
  void limits_are_kept() throws IOException {
    refused(Kind.INVALID, sample(), ArchiveLimits.USUAL.entries(100));
    refused(Kind.INVALID, sample(), ArchiveLimits.USUAL.unpacked(Size.ofBytes(10_000)));
  }

  @Test
  void one_that_is_cut_anywhere_is_refused() throws IOException {
    byte[] sample = sample();
    for (int length = 4; length < sample.length; length += 97) {
      refused(Kind.INVALID, Arrays.copyOf(sample, length), ArchiveLimits.USUAL);
    }
  }

  @Test
  void other_versions_and_compressions_are_not_supported() throws IOException {
    byte[] version = sample();
    version[28] = 3;
    refused(Kind.UNSUPPORTED, version, ArchiveLimits.USUAL);
    byte[] lzo = sample();
    lzo[20] = 3;
    assertTrue(refused(Kind.UNSUPPORTED, lzo, ArchiveLimits.USUAL).toString().contains("lzo"));
    byte[] blocks = sample();
    blocks[22] = 40;
    refused(Kind.INVALID, blocks, ArchiveLimits.USUAL);
  }

  /** It may still be whole: names and content have no checksum. */
  @Test
  void bits_that_have_flipped_are_an_error_or_harmless() throws IOException {
    byte[] sample = sample();
    Random random = new Random(1);
    Set<Kind> known = Set.of(Kind.INVALID, Kind.UNSUPPORTED);
    ArchiveLimits limits = ArchiveLimits.USUAL.unpacked(Size.ofMebibytes(64)).entries(10_000);
    int refused = 0;
    for (int i = 0; i < 3_000; i++) {
      byte[] damaged = sample.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        // The superblock and the tables at the end are where it hurts.
        int at =
            random.nextBoolean()
                ? random.nextInt(SquashSuperblock.LENGTH)
                : random.nextInt(damaged.length);
        damaged[at] ^= (byte) (1 << random.nextInt(8));
      }
      if (!damagedIsHarmless(damaged, limits, known)) {
        refused++;
      }
    }
    assertTrue(refused > 500, "refused: " + refused);
  }

  private boolean damagedIsHarmless(byte[] damaged, ArchiveLimits limits, Set<Kind> known)
      throws IOException {
    try {
      unpacked(damaged, limits);
      return true;
    } catch (StapesException e) {
      assertTrue(known.contains(e.kind()), e.toString());
      return false;
    }
  }
}
