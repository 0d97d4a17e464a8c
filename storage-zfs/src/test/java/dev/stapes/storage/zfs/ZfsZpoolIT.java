package dev.stapes.storage.zfs;

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
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
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
