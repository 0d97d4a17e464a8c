package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pools whose making or removal was cut short, and directories of pools that were copied. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
class ZfsSweepIT {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final PoolSpec FILE =
      PoolSpec.of("cut", "zfs").size(Size.ofMebibytes(128)).with("zfs.pool_name", "zcut");

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

  private String run(String... command) {
    return host.programs().run(Command.of(command)).stdout();
  }

  private boolean isKnown(String zpool) {
    return run("zpool", "list", "-H", "-o", "name").lines().toList().contains(zpool);
  }

  private Path room(String name) throws IOException {
    return Files.createDirectory(directory.resolve(name));
  }

  /** How many effects it has; dies before the n-th. */
  private int dieMaking(PoolSpec spec, Path own, int n) {
    Faults faults = new Faults();
    Host mortal = faults.wrap(Host.class, host);
    if (n == 0) {
      faults.count();
      provider.create(mortal, spec, own).destroy();
      return faults.effects();
    }
    faults.dieAtNth(n);
    try {
      provider.create(mortal, spec, own).close();
    } catch (StapesException e) {
      // dead
    }
    return 0;
  }

  @Test
  void wherever_the_making_of_a_pool_in_a_file_dies_a_sweep_leaves_nothing() throws IOException {
    dieEverywhere(FILE, "file");
    assertFalse(isKnown("zcut"));
  }

  @Test
  void wherever_the_making_of_a_pool_on_a_device_dies_the_device_is_blank_after_a_sweep()
      throws IOException {
    Path image = Files.createFile(directory.resolve("image")).toRealPath();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(256 << 20);
    }
    try (LoopDevice device = LoopDevice.of(Syscalls.system(), image, false)) {
      PoolSpec spec = PoolSpec.of("cut", "zfs").source(device.path().toString());
      dieEverywhere(spec.with("zfs.pool_name", "zdev"), "device");
      provider.create(host, spec, room("last")).destroy();
    }
    assertFalse(isKnown("zdev"));
  }

  private void dieEverywhere(PoolSpec spec, String name) throws IOException {
    int effects = dieMaking(spec, room(name), 0);
    assertTrue(effects > 3, "" + effects);
    for (int n = 1; n <= effects; n++) {
      Path own = room(name + n);
      dieMaking(spec, own, n);
      provider.sweep(host, spec, own, Unfinished.CREATION);
      provider.sweep(host, spec, own, Unfinished.CREATION);
      assertEquals(Set.of(), HostLeftovers.filesBelow(own), "after effect " + n);
      StoragePool pool = provider.create(host, spec, own);
      pool.create(A);
      pool.destroy();
    }
  }

  @Test
  void a_removal_that_dies_goes_on_with_a_sweep() throws IOException {
    for (int n = 1; n <= 4; n++) {
      Path own = room("own" + n);
      Faults faults = new Faults();
      StoragePool pool = provider.create(faults.wrap(Host.class, host), FILE, own);
      pool.create(A);
      faults.dieAtNth(n);
      try {
        pool.destroy();
      } catch (StapesException e) {
        assertEquals(Kind.INTERNAL, e.kind(), e::toString);
      }
      provider.sweep(host, FILE, own, Unfinished.REMOVAL);
      assertFalse(isKnown("zcut"), "after effect " + n);
      assertFalse(Files.exists(own.resolve("zpool")));
    }
  }

  /** Such as a Btrfs, which begins at 64 KiB. */
  @Test
  void what_somebody_else_has_put_onto_the_device_since_is_not_swept() throws IOException {
    Path image = Files.createFile(directory.resolve("image")).toRealPath();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(256 << 20);
    }
    byte[] theirs = "_BHRfS_M".getBytes(StandardCharsets.US_ASCII);
    Path own = room("own");
    try (LoopDevice device = LoopDevice.of(Syscalls.system(), image, false)) {
      PoolSpec spec = PoolSpec.of("cut", "zfs").source(device.path().toString());
      dieMaking(spec, own, 1);
      assertTrue(Files.exists(own.resolve("zpool")), "it dies with its first command");
      try (RandomAccessFile file = new RandomAccessFile(device.path().toFile(), "rw")) {
        file.seek((64 << 10) + 64);
        file.write(theirs);
        file.getFD().sync();
        provider.sweep(host, spec, own, Unfinished.CREATION);
        byte[] found = new byte[theirs.length];
        file.seek((64 << 10) + 64);
        file.readFully(found);
        assertArrayEquals(theirs, found);
      }
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  /** As a mount does: nobody knows what will be written to it. */
  @Test
  void what_somebody_has_claimed_since_is_not_swept() throws IOException {
    Path image = Files.createFile(directory.resolve("image")).toRealPath();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(256 << 20);
    }
    Path own = room("own");
    Syscalls sys = Syscalls.system();
    try (LoopDevice device = LoopDevice.of(sys, image, false)) {
      PoolSpec spec = PoolSpec.of("cut", "zfs").source(device.path().toString());
      dieMaking(spec, own, 1);
      assertTrue(Files.exists(own.resolve("zpool")), "it dies with its first command");
      try (Fd claimed = Fd.open(sys, device.path(), Set.of(OpenFlag.READ, OpenFlag.EXCLUSIVE))) {
        assertTrue(claimed.number() >= 0);
        provider.sweep(host, spec, own, Unfinished.CREATION);
      }
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  @Test
  void somebody_s_zpool_of_the_same_name_is_not_touched() throws IOException {
    Path own = room("own");
    dieMaking(FILE, own, 1);
    assertTrue(Files.exists(own.resolve("zpool")), "it dies with its first command");
    Path file = directory.resolve("theirs");
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(128 << 20);
    }
    run("zpool", "create", "-m", "none", "-o", "cachefile=none", "zcut", file.toString());
    try {
      provider.sweep(host, FILE, own, Unfinished.CREATION);
      assertTrue(isKnown("zcut"));
      StapesException error =
          assertThrows(StapesException.class, () -> provider.create(host, FILE, room("other")));
      assertEquals(Kind.CONFLICT, error.kind(), error::toString);
      assertTrue(isKnown("zcut"));
      assertEquals(Set.of(), HostLeftovers.filesBelow(directory.resolve("other")));
    } finally {
      run("zpool", "destroy", "zcut");
    }
  }

  @Test
  void a_copied_directory_has_a_pool_of_its_own_and_not_the_original_s() throws IOException {
    Path original = room("original");
    StoragePool pool = provider.create(host, FILE, original);
    pool.create(A);
    pool.close();
    Path copy = directory.resolve("copy");
    run("cp", "-a", "--sparse=always", original.toString(), copy.toString());
    StoragePool first = provider.open(host, FILE, original);
    refusedUnavailable("copied directory", copy, FILE);
    first.close();
    StoragePool second = provider.open(host, FILE, copy);
    second.discard(A);
    refusedUnavailable("copied directory", original, FILE);
    second.destroy();
    first = provider.open(host, FILE, original);
    assertEquals(Set.of(A), first.list());
    first.destroy();
  }

  @Test
  void a_dataset_belongs_to_a_directory_that_may_be_moved_but_not_copied() throws IOException {
    PoolSpec spec = PoolSpec.of("moved", "zfs").source(TestZpool.shared().dataset());
    Path original = room("original");
    StoragePool pool = provider.create(host, spec, original);
    pool.create(A);
    pool.close();
    Path copy = directory.resolve("copy");
    run("cp", "-a", original.toString(), copy.toString());
    refusedUnavailable("is a copy", copy, spec);
    provider.open(host, spec, original).close();
    run("rm", "-r", copy.toString());
    Path moved = directory.resolve("moved");
    Files.move(original, moved);
    provider.open(host, spec, moved).close();
    StoragePool again = provider.open(host, spec, moved);
    assertEquals(Set.of(A), again.list());
    again.destroy();
  }

  private void refusedUnavailable(String why, Path own, PoolSpec spec) {
    StapesException error =
        assertThrows(StapesException.class, () -> provider.open(host, spec, own));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    assertTrue(String.valueOf(error.getMessage()).contains(why), error::toString);
  }
}
