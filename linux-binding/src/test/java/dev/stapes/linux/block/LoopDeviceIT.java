package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@RequiresRoot
@RequiresKernel("loop")
@Timeout(60)
class LoopDeviceIT {
  private final Syscalls sys = Syscalls.system();
  private final Path directory;
  private final Path image;

  LoopDeviceIT(@TempDir Path directory) throws Exception {
    this.directory = directory.toRealPath();
    this.image = this.directory.resolve("image");
    size(1 << 20);
  }

  private void size(long bytes) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
    }
  }

  @Test
  void a_file_has_one_device_which_goes_with_its_last_user() throws Exception {
    try (LoopDevice device = LoopDevice.of(sys, image, true);
        LoopDevice again = LoopDevice.of(sys, image, false)) {
      assertEquals(device.path(), again.path());
      assertEquals(1 << 20, device.size());
      device.close();
      size(2 << 20);
      again.refreshSize();
      assertEquals(2 << 20, again.size());
      Files.move(image, directory.resolve("moved"));
      try (LoopDevice renamed = LoopDevice.of(sys, directory.resolve("moved"), true)) {
        assertEquals(again.path(), renamed.path());
      }
    }
    assertEquals(Set.of(), HostLeftovers.of(directory));
  }

  @Test
  void blocks_go_through_the_page_cache_where_that_is_wanted() throws Exception {
    try (LoopDevice device = LoopDevice.of(sys, image, false)) {
      Path name = device.path().getFileName();
      assertEquals("0", Files.readString(Path.of("/sys/block/" + name + "/loop/dio")).strip());
      assertEquals(
          "1", Files.readString(Path.of("/sys/block/" + name + "/loop/autoclear")).strip());
    }
  }

  @Test
  void a_file_that_is_not_attached_is_not_found() {
    try (Fd file = Fd.open(sys, image, Set.of(OpenFlag.READ))) {
      assertEquals(Optional.empty(), LoopDevice.find(sys, file.stat()));
    }
  }

  @Test
  void what_is_no_file_is_refused() {
    LinuxException missing =
        assertThrows(
            LinuxException.class, () -> LoopDevice.of(sys, directory.resolve("missing"), true));
    assertEquals(Errno.ENOENT, missing.errno());
    LinuxException refused =
        assertThrows(LinuxException.class, () -> LoopDevice.of(sys, directory, true));
    assertTrue(refused.is(Errno.EISDIR), refused.toString());
  }
}
