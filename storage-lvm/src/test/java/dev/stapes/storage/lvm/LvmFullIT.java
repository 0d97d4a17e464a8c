package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes of pools whose data or metadata runs full, and how they get more. */
class LvmFullIT extends RealLvmTests {
  LvmFullIT(@TempDir Path directory) throws IOException {
    super(directory);
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

  @Test
  void nothing_new_is_made_before_a_pool_is_full_and_writers_learn_it_when_it_is()
      throws IOException {
    PoolSpec spec = spec(160).with("volume.size", "120MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      pool.create(B);
      write(pool, A, "kept", "kept");
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
      assertEquals("kept", read(again, A, "kept"));
      assertEquals(null, write(again, A, "more", 8));
    } finally {
      again.destroy();
    }
  }

  private static double percent(StoragePool pool) {
    var info = pool.info();
    return 100.0 * info.used().bytes() / info.total().bytes();
  }

  /**
   * Snapshots are made behind the driver's back, which takes a tenth of the time, and somebody else
   * has what the metadata would grow by.
   */
  @Test
  void nothing_new_is_made_before_the_metadata_is_full() throws IOException {
    PoolSpec spec =
        spec(200).with("volume.size", "64MiB").with("lvm.thinpool_metadata_size", "4MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      String group = thinPool().split(" ", -1)[0];
      lvm("lvcreate", "--yes", "--wipesignatures", "n", "--extents", "100%FREE", group);
      String thin = "/dev/mapper/" + thinPool().replace(' ', '-') + "-tpool";
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
          "for i in $(seq 1000000 1000250); do dmsetup message "
              + thin
              + " 0 \"delete $i\" 2>/dev/null || break; done");
      pool.info(); // looks
      pool.copy(A, C, false);
      assertTrue(pool.exists(C));
    } finally {
      pool.destroy();
    }
  }

  /** The group and the pool that is tested, by its mark: the machine may have others. */
  private String thinPool() throws IOException {
    String mark = Files.readString(own.resolve("thin-pool")).strip().split(" ")[2];
    return lvm("lvs", "--noheadings", "-o", "vg_name,lv_name", "@stapes.pool=" + mark)
        .strip()
        .replaceAll("\\s+", " ");
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
    try (LoopDevice disk = disk(128)) {
      PoolSpec spec = PoolSpec.of("test", "lvm").source(disk.path().toString());
      StoragePool pool = provider.create(host, spec, own);
      try {
        Size before = pool.info().total();
        StoragePool.Growable growable = pool.growable().orElseThrow();
        refused(Kind.INVALID, () -> growable.grow(Size.ofMebibytes(16)));
        refused(Kind.EXHAUSTED, () -> growable.grow(Size.ofMebibytes(256)));
        assertEquals(before, pool.info().total());
        resize(directory.resolve("disk"), 256);
        disk.refreshSize();
        growable.grow(Size.ofMebibytes(200));
        assertTrue(
            pool.info().total().compareTo(Size.ofMebibytes(200)) > 0, pool.info().toString());
      } finally {
        pool.destroy();
      }
    }
  }

  private void script(String script) {
    run("bash", "-euc", script);
  }
}
