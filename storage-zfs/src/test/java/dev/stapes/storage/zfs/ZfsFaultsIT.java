package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What breaks below a pool: its disk is full, or the power is cut. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresKernel("btrfs")
@RequiresTool("zpool")
@RequiresTool("mkfs.btrfs")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZfsFaultsIT {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final int CUTS = 6;
  private static final int ROUNDS = 8;

  @TempDir Path directory;

  private final ZfsProvider provider = new ZfsProvider();

  /** In the namespace of this JVM, where the driver's files are. */
  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), String.join(" ", command) + ": " + output);
    return output;
  }

  @Test
  void a_full_disk_below_the_pool_is_said_and_nobody_hangs() throws Exception {
    run("mount", "-t", "tmpfs", "-o", "size=160m", "none", directory.toString());
    // A host sees what was mounted before it was opened.
    try (Host host = TestZpool.openHost()) {
      Path own = Files.createDirectory(directory.resolve("own"));
      PoolSpec spec = PoolSpec.of("full", "zfs").size(Size.ofGibibytes(1));
      StoragePool pool = provider.create(host, spec, own);
      pool.create(A);
      try (Attachment attachment = pool.attach(A, Optional.empty(), false)) {
        Path files = host.mounts().local(attachment.path());
        Files.write(files.resolve("some"), incompressible(100));
        pool.quotas().orElseThrow().usage(A);
      }
      Files.write(directory.resolve("other"), incompressible(40));
      StapesException error = assertThrows(StapesException.class, () -> pool.create(B));
      assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
      error = assertThrows(StapesException.class, () -> pool.copy(A, B, false));
      assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
      pool.discard(A);
      pool.reclaim();
      Files.delete(directory.resolve("other"));
      pool.create(B);
      pool.destroy();
    } finally {
      run("umount", "-l", directory.toString());
    }
  }

  private static byte[] incompressible(int mebibytes) {
    byte[] bytes = new byte[mebibytes << 20];
    new Random(mebibytes).nextBytes(bytes);
    return bytes;
  }

  @Test
  void after_a_power_cut_at_any_moment_each_volume_is_whole_or_not_there() throws Exception {
    Path image = Files.createFile(directory.resolve("image")).toRealPath();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(1L << 30);
    }
    run("mkfs.btrfs", "-q", image.toString());
    Path disk = Files.createDirectory(directory.resolve("disk"));
    try (LoopDevice device = LoopDevice.of(Syscalls.system(), image, false)) {
      run("mount", "-t", "btrfs", device.path().toString(), disk.toString());
      try (Host host = TestZpool.openHost()) {
        cut(host, disk);
      } finally {
        run("umount", "-l", disk.toString());
      }
    }
  }

  /** A copy of the pool's file, with what had been synced before it was made. */
  private record Cut(Path own, Set<VolumeId> synced) {}

  private void cut(Host host, Path disk) throws Exception {
    PoolSpec spec =
        PoolSpec.of("cut", "zfs").size(Size.ofMebibytes(256)).with("zfs.pool_name", "zpower");
    Path own = Files.createDirectory(disk.resolve("own"));
    StoragePool pool = provider.create(host, spec, own);
    Set<VolumeId> synced = ConcurrentHashMap.newKeySet();
    List<CountDownLatch> rounds =
        Stream.generate(() -> new CountDownLatch(1)).limit(ROUNDS).toList();
    ExecutorService behind = Executors.newSingleThreadExecutor();
    List<Cut> cuts = new ArrayList<>();
    try {
      Future<Boolean> busy = behind.submit(work(pool, synced, rounds));
      for (int n = 0; n < CUTS; n++) {
        assertTrue(rounds.get(n).await(60, TimeUnit.SECONDS));
        Path cut = Files.createDirectory(disk.resolve("cut" + n));
        Set<VolumeId> before = Set.copyOf(synced);
        // A copy of the file as of one moment: what a power cut leaves.
        String file = own.resolve("disk.img").toString();
        run("cp", "--reflink=always", file, cut.resolve("disk.img").toString());
        Files.copy(own.resolve("zpool"), cut.resolve("zpool"));
        assertTrue(before.size() > 2 * n, cut + " " + before);
        cuts.add(new Cut(cut, before));
      }
      assertTrue(busy.get());
    } finally {
      behind.shutdownNow();
    }
    pool.destroy();
    for (Cut cut : cuts) {
      recover(host, spec, cut);
    }
  }

  /** The cut of a round is made while the next one goes on. */
  private Callable<Boolean> work(
      StoragePool pool, Set<VolumeId> synced, List<CountDownLatch> rounds) {
    return () -> {
      for (int n = 0; n < ROUNDS; n++) {
        VolumeId volume = new VolumeId(VolumeId.Kind.INSTANCE, "v" + n);
        VolumeId snapshot = new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + n);
        VolumeId copy = new VolumeId(VolumeId.Kind.INSTANCE, "c" + n);
        pool.create(volume);
        write(pool, volume, "one");
        write(pool, volume, "two");
        pool.copy(volume, snapshot, true);
        pool.copy(snapshot, copy, false);
        run("zpool", "sync", "zpower");
        synced.addAll(Set.of(snapshot, copy));
        rounds.get(n).countDown();
        pool.discard(volume);
        pool.reclaim();
      }
      return true;
    };
  }

  private static void write(StoragePool pool, VolumeId id, String name) throws IOException {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        OutputStream out = tree.write(name, 0644)) {
      out.write(name.getBytes(StandardCharsets.UTF_8));
    }
  }

  private void recover(Host host, PoolSpec spec, Cut cut) throws IOException {
    StoragePool pool = provider.open(host, spec, cut.own());
    try {
      Set<VolumeId> there = pool.list();
      assertTrue(there.containsAll(cut.synced()), cut + " " + there);
      for (VolumeId id : there) {
        boolean copy = !id.name().startsWith("v"); // made after both files were there
        try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
          for (String name : List.of("one", "two")) {
            if (tree.stat(name).isPresent()) {
              try (InputStream in = tree.read(name)) {
                String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(text.equals(name) || (text.isEmpty() && !copy), cut + " " + id);
              }
            } else {
              assertFalse(copy, cut + " " + id + " " + name);
            }
          }
        }
      }
      pool.create(A);
      pool.reclaim();
    } finally {
      pool.destroy();
    }
  }
}
