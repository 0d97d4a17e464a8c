package dev.stapes.storage.lvm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.StoragePool.BlockVolumes;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.DoomedJvm;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the contract does not ask of plain volumes: used extents, full groups, kills. */
class LvmPlainIT extends RealLvmTests {
  private static final int MIB = 1 << 20;

  LvmPlainIT(@TempDir Path directory) throws IOException {
    super(directory);
  }

  private static PoolSpec plain(PoolSpec spec) {
    return spec.with("lvm.use_thinpool", "false").with("volume.size", "48MiB");
  }

  /** A driver that does something before the blocks of a copy are copied. */
  private static LvmProvider before(Runnable work) {
    return new LvmProvider(Syscalls::system, Path.of("/"), sys -> interrupted(sys, work));
  }

  private static DeviceContents interrupted(Syscalls sys, Runnable work) {
    BlockCopies real = new BlockCopies(sys);
    return new DeviceContents() {
      @Override
      public void zero(Path device, long from, Runnable look) {
        real.zero(device, from, look);
      }

      @Override
      public void copy(Path from, Path to, Runnable look) {
        work.run();
        real.copy(from, to, look);
      }
    };
  }

  @Test
  void in_a_group_that_exists_nothing_of_what_was_on_its_extents_is_seen() throws IOException {
    try (LoopDevice disk = disk(256)) {
      String device = disk.path().toString();
      try (OutputStream out = Files.newOutputStream(disk.path())) {
        byte[] old = new byte[MIB];
        Arrays.fill(old, (byte) 'x');
        for (int i = 0; i < 256; i++) {
          out.write(old);
        }
      }
      lvm("pvcreate", "--yes", device);
      lvm("vgcreate", "stapesplain", device);
      try {
        lvm("lvcreate", "--yes", "--size", "16m", "--name", "others", "stapesplain");
        lvm("lvcreate", "--yes", "--size", "4m", "--name", "swap", "stapesplain");
        run("mkswap", "/dev/stapesplain/swap");
        lvm("lvremove", "--yes", "stapesplain/swap");
        PoolSpec spec = plain(PoolSpec.of("test", "lvm").source("stapesplain"));
        StoragePool pool = provider.create(host, spec, own);
        String marked =
            lvm("lvs", "--noheadings", "-o", "lv_path", "-S", "tags=stapes.plain").strip();
        assertEquals("", run("bash", "-c", "blkid -p -s TYPE -o value " + marked + " || true"));
        pool.create(A);
        write(pool, A, "file", "kept");
        blocks(pool);
        assertEquals(
            "", lvm("lvs", "--noheadings", "-o", "lv_name", "-S", "segtype=~thin").strip());
        pool.close();
        pool = provider.open(host, spec, own);
        assertEquals("kept", read(pool, A, "file"));
        pool.destroy();
        assertEquals("others", lvm("lvs", "--noheadings", "-o", "lv_name", "stapesplain").strip());
      } finally {
        lvm("vgremove", "--yes", "--force", "stapesplain");
        lvm("pvremove", "--yes", device);
        run("udevadm", "settle"); // it looks at what was written, and holds it meanwhile
      }
    }
  }

  private void blocks(StoragePool pool) throws IOException {
    BlockVolumes blocks = pool.blockVolumes().orElseThrow();
    blocks.create(B, Size.ofMebibytes(8));
    try (Attachment attachment = blocks.attach(B, false)) {
      assertEquals(-1, firstByte(attachment));
      blocks.grow(B, Size.ofMebibytes(20));
      assertEquals(-1, firstByte(attachment));
      Path device = host.mounts().local(attachment.path());
      try (OutputStream out = Files.newOutputStream(device)) {
        out.write(1);
      }
    }
    pool.copy(B, C, false);
    try (Attachment attachment = blocks.attach(C, true)) {
      assertEquals(0, firstByte(attachment));
      try (InputStream in = Files.newInputStream(host.mounts().local(attachment.path()))) {
        assertEquals(1, in.read());
        assertEquals(20 * MIB - 1, zeros(in));
      }
    }
    pool.discard(B);
    pool.discard(C);
    pool.reclaim();
  }

  private long firstByte(Attachment attachment) throws IOException {
    Path device = host.mounts().local(attachment.path());
    try (InputStream in = Files.newInputStream(device)) {
      long zeros = zeros(in);
      return in.read() < 0 && zeros % MIB == 0 ? -1 : zeros;
    }
  }

  /** How many there are up to the end, or to the piece that has another one. */
  private static int zeros(InputStream in) throws IOException {
    int count = 0;
    byte[] piece = new byte[4096];
    for (int n = in.readNBytes(piece, 0, 4096); n > 0; n = in.readNBytes(piece, 0, 4096)) {
      for (int i = 0; i < n; i++) {
        if (piece[i] != 0) {
          return count;
        }
        count++;
      }
    }
    return count;
  }

  @Test
  void a_full_group_refuses_what_does_not_fit_and_leaves_nothing() {
    PoolSpec spec = plain(spec(140));
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      write(pool, A, "file", "kept");
      pool.copy(A, SNAPSHOT, true);
      Size used = pool.info().used();
      refused(Kind.EXHAUSTED, () -> pool.create(B));
      refused(Kind.EXHAUSTED, () -> pool.copy(A, B, false));
      refused(
          Kind.EXHAUSTED,
          () -> pool.quotas().orElseThrow().limit(A, Optional.of(Size.ofMebibytes(200))));
      assertEquals(used, pool.info().used());
      assertEquals("kept", read(pool, A, "file"));
      pool.discard(SNAPSHOT);
      pool.reclaim();
      pool.create(B);
    } finally {
      pool.destroy();
    }
  }

  /** Sparse as it is, a file on a full disk gives errors of the device to all who write. */
  @Test
  void copies_and_streams_end_before_the_disk_below_a_file_is_full() throws IOException {
    try (LoopDevice disk = disk("below", 400)) {
      String device = disk.path().toString();
      run("mkfs.ext4", "-q", "-m", "0", device);
      here("mount", device, own.toString());
      try {
        run("mount", device, own.toString());
        try {
          Files.delete(own.resolve("lost+found"));
          endsBeforeTheDiskIsFull();
        } finally {
          run("umount", own.toString());
        }
      } finally {
        here("umount", own.toString());
      }
    }
  }

  private void endsBeforeTheDiskIsFull() throws IOException {
    Path stream = directory.resolve("stream");
    StoragePool pool = provider.create(host, plain(spec(900)).with("volume.size", "120MiB"), own);
    try {
      pool.create(A);
      writeMuch(pool);
      pool.copy(A, SNAPSHOT, true);
      StoragePool.SendReceive streams = pool.sendReceive().orElseThrow();
      try (OutputStream out = Files.newOutputStream(stream)) {
        streams.send(SNAPSHOT, Optional.empty(), out);
      }
      leaveFree(60);
      try (InputStream in = Files.newInputStream(stream)) {
        refused(Kind.EXHAUSTED, () -> streams.receive(LATER, in));
      }
      assertTrue(free() >= 8 * MIB, free() + " left by a stream");
      pool.reclaim();
      leaveFree(60);
      refused(Kind.EXHAUSTED, () -> pool.copy(A, B, false));
      assertTrue(free() >= 8 * MIB, free() + " left by a copy");
      write(pool, A, "file", "goes on");
      run("sync", "-f", own.toString());
      assertEquals(Set.of(A, SNAPSHOT), pool.list());
      Files.delete(own.resolve("filler"));
      pool.copy(A, B, false);
      assertEquals("goes on", read(pool, B, "file"));
    } finally {
      pool.destroy();
      Files.deleteIfExists(own.resolve("filler"));
    }
  }

  private void writeMuch(StoragePool pool) throws IOException {
    byte[] some = new byte[MIB];
    new Random(1).nextBytes(some);
    try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
        OutputStream out = tree.write("much", 0644)) {
      for (int i = 0; i < 80; i++) {
        out.write(some);
      }
    }
    run("sync");
  }

  /** Among the mounts of this JVM; the host's programs have others. */
  private static void here(String... command) throws IOException {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertEquals(0, process.onExit().join().exitValue(), () -> String.join(" ", command));
  }

  private long free() throws IOException {
    return Files.getFileStore(own).getUsableSpace();
  }

  /** Somebody else has the rest of what is below. */
  private void leaveFree(int mebibytes) throws IOException {
    Path filler = own.resolve("filler");
    Files.deleteIfExists(filler);
    run("sync", "-f", own.toString());
    long rest = free() - (long) mebibytes * MIB;
    run("fallocate", "--length", Long.toString(rest), filler.toString());
    assertTrue(free() < (mebibytes + 4L) * MIB, free() + " free");
  }

  /** The snapshot that the copy is made of has room for as much as the group has free. */
  @Test
  void where_more_is_written_than_there_is_room_for_meanwhile_there_is_no_copy() {
    StoragePool[] writing = new StoragePool[1];
    LvmProvider slow =
        before(
            () -> {
              write(writing[0], A, "much", "x".repeat(20 * MIB));
              run("sync");
            });
    StoragePool pool = slow.create(host, plain(spec(112)), own);
    writing[0] = pool;
    try {
      pool.create(A);
      StapesException error = refused(Kind.EXHAUSTED, () -> pool.copy(A, B, false));
      assertTrue(String.valueOf(error.getMessage()).contains("while it was"), error.toString());
      assertEquals(Set.of(A), pool.list());
      assertEquals(Size.ofMebibytes(49), pool.info().used());
    } finally {
      pool.destroy();
    }
  }

  /** Btrfs gets a UUID of its own when a copy is mounted, beside its source. */
  @ParameterizedTest
  @ValueSource(strings = {"xfs", "btrfs"})
  void a_copy_has_what_was_written_before_it_began_and_nothing_later(String format) {
    StoragePool[] writing = new StoragePool[1];
    LvmProvider slow =
        before(
            () -> {
              write(writing[0], A, "file", "later");
              run("sync");
            });
    PoolSpec spec = plain(spec(1200)).with("volume.size", "320MiB");
    StoragePool pool = slow.create(host, spec.with("volume.block.filesystem", format), own);
    writing[0] = pool;
    try {
      pool.create(A);
      write(pool, A, "file", "before");
      try (Attachment attachment = pool.attach(A, Optional.empty(), false)) {
        pool.copy(A, SNAPSHOT, true);
        assertEquals("before", read(pool, SNAPSHOT, "file"));
        assertTrue(attachment.path().isAbsolute());
        assertEquals("later", read(pool, A, "file"));
      }
    } finally {
      pool.destroy();
    }
  }

  /** The child: is killed in the middle of a copy. */
  static final class Doomed {
    private Doomed() {}

    public static void main(String[] arguments) {
      PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
      Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
      LvmProvider slow =
          before(
              () -> {
                out.println("copies");
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      StoragePool pool = slow.create(host, plain(spec(300)), Path.of(arguments[0]));
      pool.create(A);
      write(pool, A, "file", "kept");
      pool.copy(A, B, false);
    }
  }

  private void runAndKill() throws Exception {
    try (DoomedJvm doomed = DoomedJvm.start(Doomed.class, own.toString())) {
      doomed.awaitLine("copies");
      doomed.kill();
    }
  }

  @Test
  void of_a_copy_that_was_killed_nothing_is_left_and_its_source_is_whole() throws Exception {
    runAndKill();
    PoolSpec spec = plain(spec(300));
    StoragePool pool = provider.open(host, spec, own);
    try {
      assertEquals(Set.of(A), pool.list());
      assertTrue(pool.info().used().compareTo(Size.ofMebibytes(49)) > 0);
      pool.reclaim();
      assertEquals(Size.ofMebibytes(49), pool.info().used());
      assertEquals("kept", read(pool, A, "file"));
      pool.quotas().orElseThrow().limit(A, Optional.of(Size.ofMebibytes(64)));
      pool.copy(A, B, false);
      assertEquals("kept", read(pool, B, "file"));
    } finally {
      pool.destroy();
    }
    runAndKill();
    provider.sweep(host, spec, own, Unfinished.CREATION);
    assertEquals("", run("bash", "-c", "dmsetup ls | grep ^stapes_ || true"));
  }
}
