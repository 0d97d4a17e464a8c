package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Zpools of Stapes's own, in a file and on a device. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
@Tag("smoke")
class ZfsZpoolIT {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");

  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");

  @TempDir Path directory;

  private final ZfsProvider provider = new ZfsProvider();
  private Host host;

  @BeforeEach
  void open() {
    host = TestZpool.openHost();
  }

  @AfterEach
  void close() {
    host.close();
  }

  private String zpools() {
    return host.programs().run(Command.of("zpool", "list", "-H", "-o", "name")).stdout();
  }

  @Test
  void a_pool_in_a_file_is_known_to_the_machine_while_it_is_open() throws IOException {
    PoolSpec spec =
        PoolSpec.of("file", "zfs").size(Size.ofMebibytes(128)).with("zfs.pool_name", "zfile");
    StoragePool pool = provider.create(host, spec, directory);
    pool.create(A);
    assertTrue(zpools().lines().toList().contains("zfile"));
    pool.close();
    assertTrue(!zpools().lines().toList().contains("zfile"), zpools());
    StoragePool again = provider.open(host, spec, directory);
    assertEquals(Set.of(A), again.list());
    Size total = again.info().total();
    again.growable().orElseThrow().grow(Size.ofMebibytes(512));
    assertTrue(again.info().total().compareTo(total) > 0, again.info().toString());
    again.destroy();
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
    assertTrue(!zpools().lines().toList().contains("zfile"), zpools());
  }

  @Test
  void a_pool_that_somebody_uses_stays_until_the_next_open() {
    PoolSpec spec = PoolSpec.of("file", "zfs").size(Size.ofMebibytes(128));
    StoragePool pool = provider.create(host, spec, directory);
    pool.create(A);
    try (Host other = TestZpool.openHost()) {
      StoragePool shared = provider.open(other, spec, directory);
      Attachment held = shared.attach(A, Optional.empty(), false);
      pool.close();
      assertEquals(Set.of(A), shared.list());
      held.close();
      shared.destroy();
    }
  }

  @Test
  void what_is_attached_outlives_its_volume_until_it_is_let_go() throws IOException {
    PoolSpec spec = PoolSpec.of("file", "zfs").size(Size.ofMebibytes(128));
    StoragePool pool = provider.create(host, spec, directory);
    pool.create(A);
    Attachment data = pool.attach(A, Optional.empty(), false);
    Path file = host.mounts().local(data.path()).resolve("file");
    Files.writeString(file, "kept");
    pool.copy(A, OLD, true);
    Attachment snapshot = pool.attach(OLD, Optional.empty(), true);
    pool.discard(OLD);
    pool.discard(A);
    pool.create(A);
    pool.reclaim();
    try (Attachment other = pool.attach(A, Optional.empty(), false)) {
      assertEquals(Set.of(), HostLeftovers.filesBelow(host.mounts().local(other.path())));
    }
    assertEquals("kept", Files.readString(file));
    Path old = host.mounts().local(snapshot.path()).resolve("file");
    assertEquals("kept", Files.readString(old));
    data.close();
    snapshot.close();
    pool.reclaim();
    assertTrue(!datasets().contains("gone:"), datasets());
    assertEquals(Set.of(A), pool.list());
    pool.destroy();
  }

  private String datasets() {
    return host.programs().run(Command.of("zfs", "list", "-H", "-t", "all", "-o", "name")).stdout();
  }

  @Test
  void limits_count_snapshots_and_are_reserved_where_a_pool_says_so() {
    PoolSpec spec =
        PoolSpec.of("file", "zfs")
            .size(Size.ofMebibytes(256))
            .with("zfs.pool_name", "zlimits")
            .with("volume.zfs.use_refquota", "false")
            .with("volume.zfs.reserve_space", "true");
    StoragePool pool = provider.create(host, spec, directory);
    pool.create(A);
    StoragePool.Quotas quotas = pool.quotas().orElseThrow();
    quotas.limit(A, Optional.of(Size.ofMebibytes(64)));
    assertTrue(limits().contains("67108864\t67108864"), limits());
    StapesException error =
        assertThrows(
            StapesException.class, () -> quotas.limit(A, Optional.of(Size.ofGibibytes(1))));
    assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
    assertTrue(limits().contains("67108864\t67108864"), limits());
    quotas.limit(A, Optional.of(Size.ofMebibytes(32)));
    quotas.limit(A, Optional.of(Size.ofMebibytes(48)));
    assertTrue(limits().contains("50331648\t50331648"), limits());
    pool.copy(A, OLD, true);
    pool.discard(A);
    assertTrue(limits().contains("50331648\t0"), limits());
    StoragePool.BlockVolumes blocks = pool.blockVolumes().orElseThrow();
    blocks.create(A, Size.ofMebibytes(16));
    error = assertThrows(StapesException.class, () -> blocks.grow(A, Size.ofGibibytes(1)));
    assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
    blocks.grow(A, Size.ofMebibytes(32));
    pool.discard(A);
    pool.destroy();
  }

  /** A limit that counts snapshots is in the way of those that a clone would take over. */
  @Test
  void a_clone_that_has_no_room_for_the_snapshots_of_what_is_gone_leaves_them() throws IOException {
    PoolSpec spec =
        PoolSpec.of("file", "zfs")
            .size(Size.ofMebibytes(256))
            .with("volume.zfs.use_refquota", "false");
    StoragePool pool = provider.create(host, spec, directory);
    pool.create(A);
    byte[] bytes = new byte[32 << 20];
    new Random(1).nextBytes(bytes);
    try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
        OutputStream out = tree.write("file", 0644)) {
      out.write(bytes);
    }
    StoragePool.Quotas quotas = pool.quotas().orElseThrow();
    assertTrue(quotas.usage(A).compareTo(Size.ofMebibytes(30)) > 0);
    pool.copy(A, OLD, true);
    pool.copy(OLD, B, false);
    quotas.limit(B, Optional.of(Size.ofMebibytes(16)));
    pool.discard(OLD);
    pool.discard(A);
    pool.reclaim();
    assertTrue(datasets().contains("gone:"), datasets());
    quotas.limit(B, Optional.of(Size.ofMebibytes(64)));
    pool.reclaim();
    assertTrue(!datasets().contains("gone:"), datasets());
    try (Tree tree = pool.tree(B, Tree.Resolution.BENEATH);
        InputStream in = tree.read("file")) {
      assertArrayEquals(bytes, in.readAllBytes());
    }
    pool.destroy();
  }

  private String limits() {
    return host.programs()
        .run(Command.of("zfs", "list", "-H", "-p", "-o", "name,quota,reservation", "-r", "zlimits"))
        .stdout();
  }

  @Test
  void a_file_that_is_gone_is_said_to_be_gone() throws IOException {
    PoolSpec spec = PoolSpec.of("file", "zfs").size(Size.ofMebibytes(128));
    StoragePool pool = provider.create(host, spec, directory);
    pool.close();
    Path file = directory.resolve("disk.img");
    Path moved = directory.resolve("moved");
    Files.move(file, moved);
    StapesException error =
        assertThrows(StapesException.class, () -> provider.open(host, spec, directory));
    assertEquals(Kind.UNAVAILABLE, error.kind());
    Files.move(moved, file);
    provider.open(host, spec, directory).destroy();
  }

  @Test
  void a_device_must_be_blank_and_is_blank_again_after_its_pool() throws IOException {
    Path image = Files.createFile(directory.resolve("image")).toRealPath();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(256 << 20);
    }
    Path own = Files.createDirectory(directory.resolve("own"));
    try (LoopDevice device = LoopDevice.of(Syscalls.system(), image, false)) {
      PoolSpec spec = PoolSpec.of("device", "zfs").source(device.path().toString());
      for (int round = 0; round < 2; round++) {
        StoragePool pool = provider.create(host, spec, own);
        pool.create(A);
        StapesException error =
            assertThrows(StapesException.class, () -> provider.create(host, spec, directory));
        assertEquals(Kind.CONFLICT, error.kind(), error::toString);
        pool.destroy();
        assertEquals(Set.of(), HostLeftovers.filesBelow(own));
      }
    }
  }
}
