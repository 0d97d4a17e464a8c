package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Parts of a device that become zeros. */
@RequiresRoot
@RequiresKernel("loop")
@Timeout(60)
class BlockZerosIT {
  private static final int SIZE = 1 << 20;

  private final Syscalls sys = Syscalls.system();
  private final Path image;

  BlockZerosIT(@TempDir Path directory) throws IOException {
    this.image = directory.toRealPath().resolve("image");
  }

  @Test
  void a_part_of_a_device_reads_as_zeros_and_the_rest_as_before() throws IOException {
    byte[] expected = new byte[SIZE];
    Arrays.fill(expected, (byte) 'x');
    Files.write(image, expected);
    try (LoopDevice device = LoopDevice.of(sys, image, false);
        Fd open = Fd.open(sys, device.path(), Set.of(OpenFlag.READ, OpenFlag.WRITE))) {
      BlockZeros.write(sys, open, 65_536, 131_072);
      BlockZeros.write(sys, open, SIZE - 4096, 4096);
      open.sync();
    }
    Arrays.fill(expected, 65_536, 65_536 + 131_072, (byte) 0);
    Arrays.fill(expected, SIZE - 4096, SIZE, (byte) 0);
    assertEquals(-1, Arrays.mismatch(expected, Files.readAllBytes(image)));
  }
}
