package dev.stapes.storage.fs;

import static dev.stapes.storage.fs.PoolBench.A;
import static dev.stapes.storage.fs.PoolBench.B;
import static dev.stapes.storage.fs.PoolBench.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.btrfs.BtrfsFileSystem;
import dev.stapes.linux.btrfs.Subvolumes;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is special about Btrfs: subvolumes that machines make, many snapshots, a full pool. */
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
@Timeout(180)
class BtrfsPoolIT {
  private static final PoolSpec SPEC = PoolSpec.of("test", "btrfs").size(Size.ofMebibytes(256));

  private final Syscalls sys = Syscalls.system();
  private final Subvolumes subvolumes = new Subvolumes(sys);
  private PoolBench bench;

  @SuppressWarnings("NullAway.Init") // JUnit calls open() first
  BtrfsPoolIT() {}

  @BeforeEach
  void open() {
    bench = new PoolBench(new BtrfsProvider(), SPEC);
    bench.pool.create(A);
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private Fd directory(VolumeId id) {
    return Fd.open(sys, bench.local("mnt/" + id), Set.of(OpenFlag.READ, OpenFlag.DIRECTORY));
  }

  /** Goes down through directories that it makes, by descriptors: no path is that long. */
  private Fd deep(Fd from, int levels) {
    byte[] name = CString.of("d".repeat(200));
    int flags = Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_CLOEXEC;
    Fd at = from;
    for (int i = 0; i < levels; i++) {
      sys.check(sys.libc().mkdirat(at.number(), name, 0755), "mkdirat", i);
      int below = sys.check(sys.libc().openat(at.number(), name, flags, 0), "openat", i);
      at.close();
      at = Fd.adopt(sys, below, "level " + i);
    }
    return at;
  }

  private Fd child(Fd directory, String name) {
    subvolumes.create(directory, name);
    int flags = Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_CLOEXEC;
    int number = sys.libc().openat(directory.number(), CString.of(name), flags, 0);
    return Fd.adopt(sys, sys.check(number, "openat", name), name);
  }

  @Test
  void subvolumes_made_in_a_volume_are_copied_with_it() {
    try (Fd volume = directory(A);
        Fd outer = child(volume, "outer");
        Fd inner = child(outer, "inner")) {
      assertTrue(inner.isOpen());
    }
    bench.write(A, "outer/inner/file", "deep");
    bench.pool.copy(A, B, false);
    bench.pool.copy(A, C, true);
    bench.write(A, "outer/inner/file", "changed");
    assertEquals("deep", bench.read(B, "outer/inner/file"));
    assertEquals("deep", bench.read(C, "outer/inner/file"));
    bench.write(B, "outer/inner/file", "its own");
    StapesException refused =
        assertThrows(StapesException.class, () -> bench.write(C, "outer/inner/file", "no"));
    assertEquals(Kind.DENIED, refused.kind());
    for (VolumeId id : List.of(A, B, C)) {
      bench.pool.discard(id);
    }
    assertEquals(Set.of(), bench.pool.list());
    bench.pool.reclaim();
    assertEquals(List.of(), List.of(bench.local("mnt/trash").toFile().list()));
  }

  @Test
  void what_a_machine_hides_deeper_than_any_path_is_copied_and_discarded_too() {
    try (Fd place = deep(directory(A), 30);
        Fd outer = child(place, "outer")) {
      subvolumes.create(outer, "inner");
      subvolumes.readOnly(outer, true);
    }
    bench.pool.copy(A, B, false);
    bench.pool.copy(A, C, true);
    for (VolumeId id : List.of(A, B, C)) {
      bench.pool.discard(id);
      assertFalse(bench.pool.exists(id));
    }
    bench.pool.reclaim();
    assertEquals(List.of(), List.of(bench.local("mnt/trash").toFile().list()));
    try (Fd root = Fd.open(sys, bench.local("mnt"), Set.of(OpenFlag.READ, OpenFlag.DIRECTORY))) {
      assertEquals(List.of(), subvolumes.children(root, subvolumes.id(root)));
    }
  }

  @Test
  void a_removed_volume_that_is_in_use_is_waited_for_in_vain_and_not_for_ever() throws Exception {
    try (Fd root = Fd.open(sys, bench.local("mnt"), Set.of(OpenFlag.READ, OpenFlag.DIRECTORY))) {
      BtrfsFileSystem fileSystem = new BtrfsFileSystem(sys);
      try (Fd used = directory(A)) {
        assertTrue(used.isOpen());
        bench.pool.create(B);
        bench.pool.discard(A);
        bench.pool.discard(B);
        int left = 2; // the kernel's cleaner begins when it likes
        for (int i = 0; i < 15 && left > 1; i++) {
          left = fileSystem.awaitCleaned(root, Duration.ofSeconds(2));
        }
        assertEquals(1, left);
        assertEquals(1, fileSystem.awaitCleaned(root, Duration.ofMillis(100)));
      }
      assertEquals(0, fileSystem.awaitCleaned(root, Duration.ofMinutes(1)));
    }
  }

  @Test
  void a_thousand_snapshots_are_made_listed_and_discarded() {
    bench.write(A, "file", "content");
    for (int i = 0; i < 1000; i++) {
      bench.pool.copy(A, new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i), true);
    }
    assertEquals(1001, bench.pool.list().size());
    assertEquals("content", bench.read(new VolumeId(VolumeId.Kind.SNAPSHOT, "s999"), "file"));
    for (int i = 0; i < 1000; i++) {
      bench.pool.discard(new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i));
    }
    assertEquals(Set.of(A), bench.pool.list());
    bench.pool.reclaim();
    assertEquals("content", bench.read(A, "file"));
  }

  @Test
  void a_full_pool_loses_nothing_and_lets_volumes_go() throws Exception {
    bench.write(A, "kept", "content");
    bench.pool.create(B);
    byte[] block = new byte[1 << 20];
    java.io.IOException full =
        assertThrows(
            java.io.IOException.class,
            () -> {
              try (var out = Files.newOutputStream(bench.local("mnt/" + B + "/big"))) {
                while (true) {
                  out.write(block);
                }
              }
            });
    assertTrue(String.valueOf(full.getMessage()).contains("No space left"), full.toString());
    assertEquals("content", bench.read(A, "kept"));
    assertEquals(Set.of(A, B), bench.pool.list());
    bench.pool.discard(B);
    bench.pool.reclaim();
    bench.pool.copy(A, C, true);
    assertEquals("content", bench.read(C, "kept"));
  }

  @Test
  void what_a_crash_left_behind_is_reclaimed_and_never_shown() throws Exception {
    Path incoming = bench.local("mnt/incoming");
    Path trash = bench.local("mnt/trash");
    Files.createDirectories(incoming.resolve("half/of/a/volume"));
    Files.writeString(incoming.resolve("half/file"), "half");
    Files.writeString(trash.resolve("a file"), "left");
    try (Fd directory = Fd.open(sys, trash, Set.of(OpenFlag.READ, OpenFlag.DIRECTORY));
        Fd volume = child(directory, "volume")) {
      subvolumes.create(volume, "inner");
      subvolumes.readOnly(volume, true);
    }
    bench.reopen();
    assertEquals(Set.of(A), bench.pool.list());
    bench.pool.reclaim();
    assertEquals(List.of(), List.of(bench.local("mnt/incoming").toFile().list()));
    assertEquals(List.of(), List.of(bench.local("mnt/trash").toFile().list()));
    assertEquals(Set.of(A), bench.pool.list());
  }

  @Test
  void a_directory_that_is_no_subvolume_can_be_discarded() throws Exception {
    Files.createDirectories(bench.local("mnt/" + B).resolve("x/y"));
    Files.createSymbolicLink(bench.local("mnt/" + B).resolve("link"), Path.of("/etc"));
    bench.pool.discard(B);
    bench.pool.reclaim();
    assertEquals(Set.of(A), bench.pool.list());
    assertTrue(Files.isDirectory(Path.of("/etc")));
  }

  @Test
  void a_pool_that_is_opened_twice_shares_one_loop_device() throws Exception {
    try (var other = new BtrfsProvider().open(bench.host, SPEC, bench.directory)) {
      assertEquals(Set.of(A), other.list());
      long devices =
          dev.stapes.testkit.HostLeftovers.of(bench.directory).stream()
              .filter(left -> left.startsWith("loop device"))
              .count();
      assertEquals(1, devices);
    }
    bench.reopen();
    assertEquals(Set.of(A), bench.pool.list());
  }

  @Test
  void a_pool_without_quotas_counts_and_one_with_quotas_agrees() {
    var quotas = bench.pool.quotas().orElseThrow();
    bench.write(A, "file", "x".repeat(3 << 20));
    long summed = quotas.usage(A).bytes();
    quotas.limit(A, java.util.Optional.of(Size.ofMebibytes(100)));
    long counted = quotas.usage(A).bytes();
    assertTrue(Math.abs(summed - counted) < 1 << 20, summed + " and " + counted);
  }
}
