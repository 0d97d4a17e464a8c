package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What comes of pools whose data or metadata runs full, and how they get more. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
@Timeout(300)
class LvmFullIT {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId C = new VolumeId(VolumeId.Kind.INSTANCE, "c");

  private final LvmProvider provider = new LvmProvider();
  private final Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  private final Path directory;
  private final Path own;

  LvmFullIT(@TempDir Path directory) throws IOException {
    this.directory = directory.toRealPath();
    this.own = Files.createDirectory(this.directory.resolve("pool"));
  }

  @AfterEach
  void nothing_is_left() {
    host.close();
    assertEquals(Set.of(), HostLeftovers.of(directory));
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  private static PoolSpec spec(int mebibytes) {
    return PoolSpec.of("test", "lvm").size(Size.ofMebibytes(mebibytes));
  }

  /** Writes and waits until it is on the disk, as a database does; the error that came of it. */
  private @Nullable IOException write(StoragePool pool, VolumeId id, String name, int mebibytes) {
    ByteBuffer some = ByteBuffer.allocate(1 << 20);
    new Random(name.hashCode()).nextBytes(some.array());
    try (Attachment attachment = pool.attach(id, Optional.empty(), false);
        FileChannel file =
            FileChannel.open(
                host.mounts().local(attachment.path()).resolve(name),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE)) {
      for (int i = 0; i < mebibytes; i++) {
        some.clear();
        file.write(some);
        if (i % 8 == 7 || i == mebibytes - 1) {
          file.force(true);
        }
      }
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  private static StapesException refused(Kind kind, Runnable work) {
    StapesException error = assertThrows(StapesException.class, work::run);
    assertEquals(kind, error.kind(), error.toString());
    return error;
  }

  private static String text(StoragePool pool, VolumeId id, String name) throws IOException {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        var in = tree.read(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void nothing_new_is_made_before_a_pool_is_full_and_writers_learn_it_when_it_is()
      throws IOException {
    PoolSpec spec = spec(160).with("volume.size", "120MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      pool.create(B);
      try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
          var out = tree.write("kept", 0644)) {
        out.write("kept".getBytes(StandardCharsets.UTF_8));
      }
      assertEquals(null, write(pool, A, "first", 80));
      int written = 0;
      while (percent(pool) < 95) {
        assertEquals(null, write(pool, B, "part-" + written++, 4), "at " + percent(pool));
      }
      StapesException error = refused(Kind.EXHAUSTED, () -> pool.create(C));
      assertTrue(String.valueOf(error.getMessage()).contains("data"), error.toString());
      refused(Kind.EXHAUSTED, () -> pool.copy(A, C, false));
      assertEquals(Set.of(A, B), pool.list());

      IOException full = write(pool, B, "too-much", 40);
      assertNotNull(full, "more than there is was written");
      pool.discard(B);
      pool.reclaim();
      assertTrue(percent(pool) < 80, percent(pool) + " %");
      pool.create(C);
      assertEquals(null, write(pool, C, "again", 8), "writers go on");
    } finally {
      pool.close();
    }
    StoragePool again = provider.open(host, spec, own);
    try {
      assertEquals("kept", text(again, A, "kept"));
      assertEquals(null, write(again, A, "more", 8));
    } finally {
      again.destroy();
    }
  }

  private static double percent(StoragePool pool) {
    var info = pool.info();
    return 100.0 * info.used().bytes() / info.total().bytes();
  }

  /** Snapshots are made behind the driver's back, which takes a tenth of the time. */
  @Test
  void nothing_new_is_made_before_the_metadata_is_full() throws IOException {
    PoolSpec spec =
        spec(200).with("volume.size", "64MiB").with("lvm.thinpool_metadata_size", "4MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      String thin = thinPool();
      run("dmsetup", "message", thin, "0", "create_thin 1000000");
      run("dmsetup", "create", "stapes-filler", "--table", "0 131072 thin " + thin + " 1000000");
      try {
        Optional<StapesException> error = fill(pool, thin);
        assertEquals(Kind.EXHAUSTED, error.orElseThrow().kind(), error.toString());
        assertTrue(String.valueOf(error.get().getMessage()).contains("metadata"), error.toString());
        String status = run("dmsetup", "status", thin);
        assertTrue(status.contains(" rw "), status);
        pool.tree(A, Tree.Resolution.BENEATH).close();
      } finally {
        run("dmsetup", "remove", "stapes-filler");
      }
      script(
          "for i in $(seq 1000000 1006000); do dmsetup message "
              + thin
              + " 0 \"delete $i\" 2>/dev/null || break; done");
      pool.info(); // looks
      pool.copy(A, C, false);
      assertTrue(pool.exists(C));
    } finally {
      pool.destroy();
    }
  }

  /** The device of the pool that is tested, by its mark: the machine may have others. */
  private String thinPool() throws IOException {
    String mark = Files.readString(own.resolve("thin-pool")).strip().split(" ")[2];
    String name =
        run("lvm", "lvs", "--noheadings", "-o", "vg_name,lv_name", "@stapes.pool=" + mark).strip();
    return "/dev/mapper/" + name.replaceAll("\\s+", "-") + "-tpool";
  }

  private Optional<StapesException> fill(StoragePool pool, String thin) {
    int next = 1_000_001;
    for (int round = 0; round < 60; round++) {
      // Each snapshot makes the next write copy a path of the tree of mappings, and its leaves.
      script(
          "for i in $(seq "
              + next
              + " "
              + (next + 99)
              + "); do dmsetup suspend stapes-filler; dmsetup message "
              + thin
              + " 0 \"create_snap $i 1000000\"; dmsetup resume stapes-filler;"
              + " dd if=/dev/zero of=/dev/mapper/stapes-filler bs=4k count=1 oflag=direct"
              + " seek=$((i % 1000 * 16)) 2>/dev/null; done");
      next += 100;
      try {
        VolumeId id = new VolumeId(VolumeId.Kind.SNAPSHOT, "round-" + round);
        pool.info(); // looks
        pool.copy(A, id, true);
      } catch (StapesException e) {
        return Optional.of(e);
      }
    }
    return Optional.empty();
  }

  @Test
  void a_pool_in_a_file_grows_by_itself() {
    PoolSpec spec = spec(128).with("volume.size", "300MiB").with("lvm.thinpool_max_size", "400MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      long before = pool.info().total().bytes();
      pool.create(A);
      for (int i = 0; i < 12; i++) {
        assertEquals(null, write(pool, A, "part-" + i, 16), "part " + i);
        pool.info(); // looks
      }
      assertTrue(pool.info().total().bytes() > 2 * before, pool.info().toString());
      pool.create(B);
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_pool_takes_what_its_device_has_grown_by() throws IOException {
    Path file = directory.resolve("disk");
    resize(file, 128);
    try (LoopDevice disk = LoopDevice.of(Syscalls.system(), file, false)) {
      PoolSpec spec = PoolSpec.of("test", "lvm").source(disk.path().toString());
      StoragePool pool = provider.create(host, spec, own);
      try {
        Size before = pool.info().total();
        StoragePool.Growable growable = pool.growable().orElseThrow();
        refused(Kind.INVALID, () -> growable.grow(Size.ofMebibytes(16)));
        refused(Kind.EXHAUSTED, () -> growable.grow(Size.ofMebibytes(256)));
        assertEquals(before, pool.info().total());
        resize(file, 256);
        disk.refreshSize();
        growable.grow(Size.ofMebibytes(200));
        assertTrue(
            pool.info().total().compareTo(Size.ofMebibytes(200)) > 0, pool.info().toString());
      } finally {
        pool.destroy();
      }
    }
  }

  private static void resize(Path file, int mebibytes) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength((long) mebibytes << 20);
    }
    assertFalse(Files.isDirectory(file));
  }

  private void script(String script) {
    run("bash", "-euc", script);
  }

  private String run(String... command) {
    return host.programs().run(Command.of(command)).stdout();
  }
}
