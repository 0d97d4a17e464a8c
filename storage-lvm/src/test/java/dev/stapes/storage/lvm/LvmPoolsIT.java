package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the contract does not ask: other file systems, groups that exist, devices. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
@Timeout(300)
class LvmPoolsIT {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");

  private final LvmProvider provider = new LvmProvider();
  private final Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  private final Path directory;
  private final Path own;

  LvmPoolsIT(@TempDir Path directory) throws IOException {
    this.directory = directory.toRealPath();
    this.own = Files.createDirectory(this.directory.resolve("pool"));
  }

  @AfterEach
  void nothing_is_left() {
    host.close();
    assertEquals(Set.of(), HostLeftovers.of(directory));
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  private static void write(StoragePool pool, VolumeId id, String text) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        OutputStream out = tree.write("file", 0644)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(StoragePool pool, VolumeId id) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        InputStream in = tree.read("file")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs", "btrfs"})
  void copies_are_used_beside_their_source_with_any_file_system(String format) {
    PoolSpec spec =
        PoolSpec.of("test", "lvm")
            .size(Size.ofGibibytes(1))
            .with("volume.size", "400MiB")
            .with("volume.block.filesystem", format);
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      write(pool, A, "first");
      pool.copy(A, SNAPSHOT, true);
      write(pool, A, "second");
      pool.copy(A, B, false);
      write(pool, B, "of b");
      try (Attachment a = pool.attach(A, Optional.empty(), false);
          Attachment b = pool.attach(B, Optional.empty(), false);
          Attachment snapshot = pool.attach(SNAPSHOT, Optional.empty(), true)) {
        assertNotEquals(a.path(), b.path());
        assertTrue(snapshot.path().isAbsolute());
        assertEquals("second", read(pool, A));
        assertEquals("of b", read(pool, B));
        assertEquals("first", read(pool, SNAPSHOT));
      }
      pool.quotas().orElseThrow().limit(B, Optional.of(Size.ofMebibytes(500)));
      assertEquals("of b", read(pool, B));
      pool.discard(A);
      pool.copy(SNAPSHOT, A, false);
      assertEquals("first", read(pool, A));
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_limit_below_what_a_volume_holds_is_refused_and_changes_nothing() {
    PoolSpec spec =
        PoolSpec.of("test", "lvm").size(Size.ofMebibytes(256)).with("volume.size", "128MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
          OutputStream out = tree.write("big", 0644)) {
        out.write(new byte[20 << 20]);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      StoragePool.Quotas quotas = pool.quotas().orElseThrow();
      Size before = quotas.usage(A);
      for (long bytes : new long[] {0, 1, 4096, 1 << 20, 19 << 20}) {
        StapesException error =
            assertThrows(
                StapesException.class, () -> quotas.limit(A, Optional.of(Size.ofBytes(bytes))));
        assertEquals(Kind.INVALID, error.kind(), error.toString());
      }
      assertEquals(before, quotas.usage(A));
      quotas.limit(A, Optional.of(Size.ofMebibytes(24)));
      write(pool, A, "still writable");
      pool.create(B);
      quotas.limit(B, Optional.of(Size.ofMebibytes(1)));
      write(pool, B, "small");
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_pool_in_a_group_that_exists_leaves_the_rest_of_it_alone() throws IOException {
    try (LoopDevice disk = disk(512)) {
      String device = disk.path().toString();
      lvm("vgcreate", "stapestest", device);
      try {
        lvm("lvcreate", "--yes", "--size", "32m", "--name", "others", "stapestest");
        PoolSpec spec = PoolSpec.of("test", "lvm").source("stapestest").size(Size.ofMebibytes(256));
        StoragePool pool = provider.create(host, spec, own);
        pool.create(A);
        write(pool, A, "kept");
        pool.close();
        pool = provider.open(host, spec, own);
        assertEquals("kept", read(pool, A));
        pool.destroy();
        assertEquals("others", lvm("lvs", "--noheadings", "-o", "lv_name", "stapestest").strip());
      } finally {
        lvm("vgremove", "--yes", "--force", "stapestest");
        lvm("pvremove", "--yes", device);
      }
    }
  }

  @Test
  void a_device_must_be_blank_and_is_blank_afterwards() throws IOException {
    try (LoopDevice disk = disk(256)) {
      PoolSpec spec = PoolSpec.of("test", "lvm").source(disk.path().toString());
      Files.write(disk.path(), "somebody's".getBytes(StandardCharsets.UTF_8));
      StapesException error =
          assertThrows(StapesException.class, () -> provider.create(host, spec, own));
      assertEquals(Kind.CONFLICT, error.kind(), error.toString());
      Files.write(disk.path(), new byte[4096]);
      StoragePool pool = provider.create(host, spec, own);
      pool.create(A);
      pool.destroy();
      try (InputStream in = Files.newInputStream(disk.path())) {
        assertEquals(-1, firstByte(in.readNBytes(1 << 20)));
      }
    }
  }

  private static int firstByte(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != 0) {
        return i;
      }
    }
    return -1;
  }

  private LoopDevice disk(int mebibytes) throws IOException {
    Path file = directory.resolve("disk");
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength((long) mebibytes << 20);
    }
    return LoopDevice.of(Syscalls.system(), file, false);
  }

  private String lvm(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "lvm";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return host.programs().run(Command.of(all)).stdout();
  }
}
