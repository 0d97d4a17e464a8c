package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Devices that are wiped, or that somebody has claimed. */
@RequiresRoot
@RequiresKernel("loop")
@Timeout(60)
class DeviceVdevIT {
  private static final int SIZE = 8 << 20;
  private static final byte[] LABEL = "zfs-0123".getBytes(StandardCharsets.UTF_16LE);

  @TempDir Path directory;

  private final Syscalls sys = Syscalls.system();

  private Vdev vdev(Path device) {
    PoolSpec spec = PoolSpec.of("p", "zfs").source(device.toString());
    return new DeviceVdev(new PoolContext(FakeHost.create(), spec, directory, directory), device);
  }

  /** With what ZFS leaves, and something in its middle that is not looked at. */
  private Path image() throws IOException {
    Path image = directory.toRealPath().resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(SIZE);
      for (int at : new int[] {1080, (1 << 20) + (16 << 10), SIZE - 1024, 4 << 20}) {
        file.seek(at);
        file.write(LABEL);
      }
    }
    return image;
  }

  @Test
  void what_zfs_leaves_is_wiped_and_the_device_is_blank() throws IOException {
    Path image = image();
    try (LoopDevice device = LoopDevice.of(sys, image, false)) {
      Vdev vdev = vdev(device.path());
      StapesException error = assertThrows(StapesException.class, vdev::check);
      assertEquals(Kind.CONFLICT, error.kind(), error::toString);
      vdev.clear();
      vdev.check();
    }
    byte[] middle = new byte[LABEL.length];
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(4 << 20);
      file.readFully(middle);
    }
    assertEquals(
        new String(LABEL, StandardCharsets.UTF_16LE),
        new String(middle, StandardCharsets.UTF_16LE));
  }

  @Test
  void what_somebody_has_claimed_is_not_wiped_and_said_so() throws IOException {
    try (LoopDevice device = LoopDevice.of(sys, image(), false)) {
      Vdev vdev = vdev(device.path());
      try (Fd claimed = Fd.open(sys, device.path(), Set.of(OpenFlag.READ, OpenFlag.EXCLUSIVE))) {
        assertTrue(claimed.number() >= 0);
        StapesException error = assertThrows(StapesException.class, vdev::clear);
        assertEquals(Kind.BUSY, error.kind(), error::toString);
      }
      assertThrows(StapesException.class, vdev::check);
      vdev.clear();
      vdev.check();
    }
  }

  /** It was cleared, and taken before anybody could note that. */
  @Test
  void what_somebody_has_claimed_and_nothing_of_zfs_is_on_is_theirs() throws IOException {
    try (LoopDevice device = LoopDevice.of(sys, image(), false)) {
      Vdev vdev = vdev(device.path());
      vdev.clear();
      try (Fd claimed = Fd.open(sys, device.path(), Set.of(OpenFlag.READ, OpenFlag.EXCLUSIVE))) {
        assertTrue(claimed.number() >= 0);
        vdev.clear();
      }
      vdev.check();
    }
  }

  @Test
  void a_device_that_is_not_there_is_not_cleared() {
    Path none = directory.resolve("none");
    assertTrue(Files.notExists(none));
    StapesException error = assertThrows(StapesException.class, vdev(none)::clear);
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
  }
}
