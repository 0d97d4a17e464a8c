package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelTest {
  private final Syscalls sys = Syscalls.system();
  private final Kernel kernel = new Kernel(sys);

  @Test
  void releases_are_parsed_and_compared() {
    assertEquals(new KernelVersion(6, 1, 0), KernelVersion.parse("6.1.0-25-amd64"));
    assertEquals(new KernelVersion(5, 10, 0), KernelVersion.parse("5.10"));
    assertEquals(new KernelVersion(6, 18, 3), KernelVersion.parse("6.18.3+"));
    assertTrue(KernelVersion.parse("5.10.9").isAtLeast(5, 10));
    assertFalse(KernelVersion.parse("5.9.99").isAtLeast(5, 10));
    assertTrue(KernelVersion.parse("6.0").isAtLeast(5, 10));
    assertTrue(new KernelVersion(6, 1, 2).compareTo(new KernelVersion(6, 1, 10)) < 0);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> KernelVersion.parse("linux"));
    assertEquals("not a kernel release: \"linux\"", e.getMessage());
  }

  @Test
  void this_kernel_has_a_version_and_every_feature_that_its_version_promises() {
    KernelVersion version = kernel.version();
    assertTrue(kernel.release().startsWith(version.major() + "." + version.minor()));
    assertEquals(version.isAtLeast(5, 6), kernel.has(Kernel.Feature.OPENAT2));
    assertEquals(version.isAtLeast(5, 12), kernel.has(Kernel.Feature.IDMAPPED_MOUNTS));
    for (Kernel.Feature feature : Kernel.Feature.values()) {
      assertTrue(kernel.has(feature) || !version.isAtLeast(5, 12), feature.name());
    }
  }

  @Test
  void file_systems_are_told_apart_and_measured(@TempDir Path dir) {
    assertEquals(FileSystemType.PROC, kernel.fileSystem(Path.of("/proc")).type());
    assertEquals(FileSystemType.SYSFS, kernel.fileSystem(Path.of("/sys")).type());
    FileSystemInfo info = kernel.fileSystem(dir);
    assertEquals(dir.toFile().getTotalSpace(), info.size());
    assertTrue(info.available() <= info.free() && info.free() <= info.size(), info.toString());
    try (Fd fd = Fd.openDirectory(sys, dir)) {
      assertEquals(info.type(), kernel.fileSystem(fd).type());
    }
    assertEquals(FileSystemType.OTHER, FileSystemType.ofMagic(0x1234));
  }

  @Test
  void ranges_are_copied_up_to_the_end_and_files_swapped(@TempDir Path dir) throws Exception {
    Path source = Files.write(dir.resolve("source"), new byte[300_000]);
    Path target = dir.resolve("target");
    try (Fd from = Fd.open(sys, source, Set.of());
        Fd to = Fd.open(sys, target, Set.of(OpenFlag.WRITE, OpenFlag.CREATE))) {
      to.write(ByteBuffer.wrap(new byte[] {1}));
      assertEquals(300_000, kernel.copyRange(from, to, 1L << 40));
    }
    assertEquals(300_001, Files.size(target));
    kernel.exchange(source, target);
    assertEquals(300_001, Files.size(source));
    assertEquals(300_000, Files.size(target));
  }

  @Test
  void a_reflink_between_two_file_systems_is_answered_no(@TempDir Path dir) throws Exception {
    Path target = Files.createFile(dir.resolve("target"));
    try (Fd from = Fd.open(sys, Path.of("/proc/self/status"), Set.of());
        Fd to = Fd.open(sys, target, Set.of(OpenFlag.WRITE))) {
      assertFalse(kernel.reflink(from, to));
    }
  }
}
