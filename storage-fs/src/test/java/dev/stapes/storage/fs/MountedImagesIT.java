package dev.stapes.storage.fs;

import static dev.stapes.storage.fs.PoolBench.A;
import static dev.stapes.storage.fs.PoolBench.B;
import static dev.stapes.storage.fs.PoolBench.C;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volumes over a file system that lies in a file. */
@RequiresRoot
@RequiresKernel("overlay")
@RequiresKernel("squashfs-idmapped")
@RequiresKernel("loop")
@RequiresTool("mksquashfs")
@Timeout(120)
class MountedImagesIT {
  private static final IdMapping ONE = IdMapping.of(1_000_000, 65_536);

  private final Path scene;

  MountedImagesIT(@TempDir Path scene) throws IOException {
    this.scene = scene.toRealPath();
  }

  @Test
  @RequiresKernel("btrfs")
  @RequiresTool("mkfs.btrfs")
  void btrfs_lays_volumes_over_a_file() throws Exception {
    liesOver(new BtrfsProvider(), PoolSpec.of("test", "btrfs").size(Size.ofMebibytes(256)));
  }

  @Test
  void dir_lays_volumes_over_a_file() throws Exception {
    liesOver(new DirProvider(), PoolSpec.of("test", "dir"));
  }

  @Test
  void overlay_lays_volumes_over_a_file() throws Exception {
    liesOver(new OverlayProvider(), PoolSpec.of("test", "overlay"));
  }

  private void liesOver(StorageDriverProvider provider, PoolSpec spec) throws Exception {
    Path image = image("image", "content");
    byte[] before = Files.readAllBytes(image);
    try (PoolBench bench = new PoolBench(provider, spec)) {
      StoragePool.Scratch scratch = bench.pool.scratch().orElseThrow();
      scratch.create(image, A, Optional.empty());
      scratch.create(image, B, Optional.of(Size.ofMebibytes(16)));
      assertLoops(1, "both lie over one mount");
      bench.write(A, "file", "changed");
      assertEquals("content", bench.read(B, "file"));
      bench.pool.copy(A, C, true);
      bench.pool.discard(A);
      bench.pool.reclaim();
      assertEquals("changed", bench.read(C, "file"));

      Files.delete(image);
      assertEquals("content", bench.read(B, "file"), "what is mounted needs no name");
      bench.pool.discard(B);
      bench.pool.reclaim();
      assertLoops(1, "a copy lies over it, too");
      assertEquals(List.of("file"), bench.names(C, "/"));
      bench.pool.discard(C);
      assertLoops(1, "a few are kept for the next ones");
      bench.pool.reclaim();
      assertLoops(0, "");
      assertEquals(Set.of(), bench.pool.list());
    }
    assertArrayEquals(before, Files.readAllBytes(image("again", "content")), "none was changed");
  }

  @Test
  void only_a_few_that_nobody_uses_stay_mounted() throws Exception {
    try (PoolBench bench = new PoolBench(new DirProvider(), PoolSpec.of("test", "dir"))) {
      StoragePool.Scratch scratch = bench.pool.scratch().orElseThrow();
      for (int i = 0; i < 6; i++) {
        scratch.create(image("image-" + i, "content " + i), A, Optional.empty());
        assertEquals("content " + i, bench.read(A, "file"));
        bench.pool.discard(A);
      }
      assertLoops(4, "");
    }
    assertLoops(0, "");
  }

  @Test
  void owners_are_mapped_and_devices_of_an_image_cannot_be_opened() throws Exception {
    Path image =
        image(
            "devices",
            "content",
            "-p",
            "null c 666 0 0 1 3",
            "-p",
            "mine f 644 1000 1001 echo mine");
    try (PoolBench bench = new PoolBench(new DirProvider(), PoolSpec.of("test", "dir"))) {
      bench.pool.scratch().orElseThrow().create(image, A, Optional.empty());
      try (Attachment attachment = bench.pool.attach(A, Optional.of(ONE), false)) {
        Path local = bench.host.mounts().local(attachment.path());
        try (Tree asHost = bench.host.tree(local, Tree.Resolution.BENEATH)) {
          assertEquals(1_000_000, asHost.stat("file").orElseThrow().uid());
          assertEquals(1_001_000, asHost.stat("mine").orElseThrow().uid());
          assertEquals(1_001_001, asHost.stat("mine").orElseThrow().gid());
          assertEquals(Tree.Type.CHARACTER_DEVICE, asHost.stat("null").orElseThrow().type());
        }
        assertThrows(
            AccessDeniedException.class, () -> Files.newByteChannel(local.resolve("null")).close());
      }
      bench.pool.discard(A);
    }
  }

  @Test
  void a_file_that_is_no_file_system_is_refused_and_nothing_stays() throws Exception {
    Path whole = image("whole", "content");
    Path text = Files.writeString(scene.resolve("text"), "no file system ".repeat(1000));
    Path cut = Files.write(scene.resolve("cut"), head(whole, 100));
    Path empty = Files.createFile(scene.resolve("empty"));
    try (PoolBench bench = new PoolBench(new DirProvider(), PoolSpec.of("test", "dir"))) {
      StoragePool.Scratch scratch = bench.pool.scratch().orElseThrow();
      for (Path file : List.of(text, cut, empty)) {
        StapesException e =
            assertThrows(
                StapesException.class, () -> scratch.create(file, A, Optional.empty()), "" + file);
        assertEquals(Kind.INVALID, e.kind(), e.toString());
        assertTrue(e.toString().contains(file.toString()), e.toString());
      }
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> scratch.create(scene.resolve("absent"), A, Optional.empty()));
      assertEquals(Kind.NOT_FOUND, e.kind(), e.toString());
      assertLoops(0, "");
      assertEquals(Set.of(), bench.pool.list());
    }
  }

  private static byte[] head(Path file, int bytes) throws IOException {
    return Arrays.copyOf(Files.readAllBytes(file), bytes);
  }

  @Test
  void any_system_call_that_fails_leaves_nothing() throws Exception {
    Path image = image("image", "content");
    Faults faults = new Faults();
    var provider = new DirProvider(() -> FaultySyscalls.all(faults));
    try (PoolBench bench = new PoolBench(provider, PoolSpec.of("test", "dir"))) {
      faults.count();
      createAndRead(bench, image);
      int calls = faults.effects();
      bench.pool.discard(A);
      bench.reopen();
      assertTrue(calls > 5, "only " + calls + " calls");
      int failures = 0;
      for (int n = 1; n <= calls; n++) {
        faults.failNth(n);
        boolean failed = false;
        try {
          createAndRead(bench, image);
        } catch (StapesException e) {
          failed = true;
          failures++;
        }
        faults.count();
        for (VolumeId id : bench.pool.list()) {
          bench.pool.discard(id);
        }
        bench.reopen();
        assertLoops(0, "call " + n + " of " + calls + (failed ? " failed" : ""));
      }
      assertTrue(failures > calls / 2, failures + " of " + calls);
    }
  }

  private static void createAndRead(PoolBench bench, Path image) {
    bench.pool.scratch().orElseThrow().create(image, A, Optional.empty());
    assertEquals("content", bench.read(A, "file"));
  }

  /** A squashfs with one file, and what more options say. */
  private Path image(String name, String content, String... options) throws Exception {
    Path directory = Files.createDirectory(scene.resolve(name + ".d"));
    Files.writeString(directory.resolve("file"), content);
    Path image = scene.resolve(name);
    List<String> command =
        Stream.concat(
                Stream.of("mksquashfs", directory.toString(), image.toString(), "-quiet"),
                Stream.concat(
                    Stream.of("-no-progress", "-all-time", "0", "-mkfs-time", "0"),
                    Stream.of(options)))
            .toList();
    Process made =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertEquals(0, made.waitFor(), () -> String.join(" ", command));
    return image;
  }

  /** The kernel lets go of a device a moment after its last user has. */
  private void assertLoops(long expected, String why) throws IOException {
    long deadline = System.nanoTime() + PoolBench.PATIENCE.toNanos();
    while (loops() > expected && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertEquals(expected, loops(), why);
  }

  /** How many loop devices have files of the scene. */
  private long loops() throws IOException {
    try (Stream<Path> devices = Files.list(Path.of("/sys/block"))) {
      return devices
          .map(device -> device.resolve("loop/backing_file"))
          .filter(Files::exists)
          .filter(file -> text(file).startsWith(scene.toString()))
          .count();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return ""; // it has gone
    }
  }
}
