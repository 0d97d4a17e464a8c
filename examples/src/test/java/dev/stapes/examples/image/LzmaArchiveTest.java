package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.image.ArchiveLimits;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageParts;
import dev.stapes.internal.image.RootfsUnpacker;
import dev.stapes.linux.host.LzmaDecoderProvider;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Archives that liblzma decodes are what they are when Java decodes them. */
@Tag("once")
@Timeout(120)
class LzmaArchiveTest {
  private static final int BLOCK = 300_000;
  private static final Decoders LIBLZMA = new Decoders(List.of(new LzmaDecoderProvider()));

  private final Path directory;
  private final Path archive;
  private int trees;

  LzmaArchiveTest(@TempDir Path directory) {
    this.directory = directory;
    this.archive = directory.resolve("archive");
  }

  private RootfsUnpacker.Unpacked unpack(Tree tree, Decoders decoders) {
    return new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, decoders)
        .unpack(new ImageParts(archive, Optional.of(archive)), Progress.NONE);
  }

  private String outcome(Decoders decoders) throws IOException {
    Path target = Files.createDirectory(directory.resolve("tree-" + trees++));
    try (Host host = FakeHost.create();
        Tree tree = host.tree(target, Tree.Resolution.BENEATH)) {
      return unpack(tree, decoders).toString();
    } catch (StapesException e) {
      assertTrue(Set.of(Kind.INVALID, Kind.UNSUPPORTED).contains(e.kind()), e::toString);
      return "refused";
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gnu.tar.xz", "blocks.tar.xz", "gnu.tar.lzma", "xz.squashfs"})
  void the_corpus_is_unpacked_or_refused_as_in_java(String name) throws IOException {
    byte[] seed =
        Files.readAllBytes(
            Path.of("../core/src/test/resources/dev/stapes/internal/image/corpus", name));
    Files.write(archive, seed);
    assertTrue(outcome(LIBLZMA).startsWith("Unpacked"));
    Random random = new Random(68);
    for (int i = 0; i < 150; i++) {
      byte[] changed =
          i % 3 == 0 ? Arrays.copyOf(seed, 512 + random.nextInt(seed.length - 512)) : seed.clone();
      if (i % 3 > 0) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
      }
      Files.write(archive, changed);
      assertEquals(outcome(Decoders.JAVA), outcome(LIBLZMA), name + ", change " + i);
    }
  }

  private byte[] blocks() throws IOException {
    byte[] content = new byte[7 * BLOCK + 11];
    Random random = new Random(1);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (random.nextInt(3) * i);
    }
    try (XZOutputStream xz =
            new XZOutputStream(Files.newOutputStream(archive), new LZMA2Options(1));
        TarArchiveOutputStream tar = new TarArchiveOutputStream(xz)) {
      TarArchiveEntry entry = new TarArchiveEntry("file");
      entry.setSize(content.length);
      tar.putArchiveEntry(entry);
      for (int at = 0; at < content.length; at += BLOCK) {
        tar.write(content, at, Math.min(BLOCK, content.length - at));
        tar.flush();
        xz.endBlock();
      }
      tar.closeArchiveEntry();
    }
    return content;
  }

  @Test
  void blocks_are_decoded_in_parallel_and_in_order() throws IOException {
    byte[] content = blocks();
    Path target = Files.createDirectory(directory.resolve("target"));
    try (Host host = FakeHost.create();
        Tree tree = host.tree(target, Tree.Resolution.BENEATH)) {
      unpack(tree, LIBLZMA);
      try (InputStream in = tree.read("file")) {
        assertArrayEquals(content, in.readAllBytes());
      }
    }
    byte[] damaged = Files.readAllBytes(archive);
    damaged[damaged.length / 2] ^= 1;
    Files.write(archive, damaged);
    assertEquals("refused", outcome(LIBLZMA));
    requireNoThread();
  }

  @Test
  void an_interrupt_ends_it_and_leaves_no_thread() throws IOException {
    blocks();
    Path target = Files.createDirectory(directory.resolve("target"));
    try (Host host = FakeHost.create();
        Tree tree = host.tree(target, Tree.Resolution.BENEATH)) {
      Thread.currentThread().interrupt();
      StapesException e = assertThrows(StapesException.class, () -> unpack(tree, LIBLZMA));
      assertEquals(Kind.INTERRUPTED, e.kind());
    } finally {
      assertTrue(Thread.interrupted());
    }
    requireNoThread();
  }

  /** An executor that has ended says so a moment before its last thread does: that is awaited. */
  private static void requireNoThread() {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("stapes-decode")) {
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> thread.join());
      }
    }
  }
}
