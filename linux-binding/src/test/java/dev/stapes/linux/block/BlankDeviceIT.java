package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whether there is something at the beginning of a device. */
@RequiresRoot
@RequiresKernel("loop")
@Timeout(60)
class BlankDeviceIT {
  private static final Set<OpenFlag> READ_WRITE = Set.of(OpenFlag.READ, OpenFlag.WRITE);

  private final Syscalls sys = Syscalls.system();
  private final Path image;

  BlankDeviceIT(@TempDir Path directory) throws IOException {
    this.image = directory.toRealPath().resolve("image");
  }

  private LoopDevice device(long bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
    }
    return LoopDevice.of(sys, image, false);
  }

  @Test
  void what_is_in_the_first_mebibyte_is_found_and_wiped_and_no_more() throws IOException {
    try (LoopDevice device = device(2 << 20);
        Fd open = Fd.open(sys, device.path(), READ_WRITE)) {
      assertEquals(OptionalLong.empty(), BlankDevice.firstByte(open));
      for (long at : new long[] {1 << 20, (1 << 20) - 1, 5000, 4096, 512, 0}) {
        open.write(one(), at);
        OptionalLong expected = at < 1 << 20 ? OptionalLong.of(at) : OptionalLong.empty();
        assertEquals(expected, BlankDevice.firstByte(open));
      }
      BlankDevice.wipe(sys, open);
      assertEquals(OptionalLong.empty(), BlankDevice.firstByte(open));
      ByteBuffer beyond = ByteBuffer.allocateDirect(1);
      open.read(beyond, 1 << 20);
      assertEquals(1, beyond.get(0));
    }
  }

  @Test
  void a_device_of_less_than_that_is_wiped_wholly() throws IOException {
    for (int size : new int[] {512, 4096, 8192}) {
      try (LoopDevice device = device(size);
          Fd open = Fd.open(sys, device.path(), READ_WRITE)) {
        open.write(one(), size - 1);
        assertEquals(OptionalLong.of(size - 1), BlankDevice.firstByte(open));
        BlankDevice.wipe(sys, open);
        assertEquals(OptionalLong.empty(), BlankDevice.firstByte(open));
      }
    }
  }

  private static ByteBuffer one() {
    return ByteBuffer.allocateDirect(1).put((byte) 1).flip();
  }
}
