package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is on a device after another one was copied to it, whatever was there before. */
@RequiresRoot
@RequiresKernel("loop")
@Timeout(60)
class BlockCopiesIT {
  private static final int MIB = 1 << 20;

  private final Syscalls sys = Syscalls.system();
  private final BlockCopies copies = new BlockCopies(sys);
  private final Path from;
  private final Path to;

  BlockCopiesIT(@TempDir Path directory) throws IOException {
    this.from = directory.toRealPath().resolve("from");
    this.to = directory.toRealPath().resolve("to");
  }

  private static byte[] used(int size) {
    byte[] old = new byte[size];
    Arrays.fill(old, (byte) 'x');
    return old;
  }

  @Test
  void a_used_device_becomes_the_same_as_another_one_and_zeros_behind_that() throws IOException {
    byte[] source = new byte[5 * MIB + 4096];
    byte[] some = new byte[200_000];
    new Random(1).nextBytes(some);
    System.arraycopy(some, 0, source, 100, some.length);
    System.arraycopy(some, 0, source, 2 * MIB - 50_000, some.length);
    source[3 * MIB - 1] = 1;
    source[source.length - 1] = 1;
    Files.write(from, source);
    Files.write(to, used(8 * MIB));
    try (LoopDevice first = LoopDevice.of(sys, from, false);
        LoopDevice second = LoopDevice.of(sys, to, false)) {
      copies.copy(first.path(), second.path(), () -> {});
    }
    byte[] expected = Arrays.copyOf(source, 8 * MIB);
    assertEquals(-1, Arrays.mismatch(expected, Files.readAllBytes(to)));
  }

  @Test
  void a_used_device_becomes_zeros() throws IOException {
    Files.write(to, used(3 * MIB));
    try (LoopDevice device = LoopDevice.of(sys, to, false)) {
      copies.zero(device.path(), () -> {});
    }
    assertEquals(-1, Arrays.mismatch(new byte[3 * MIB], Files.readAllBytes(to)));
  }

  @Test
  void what_a_look_throws_ends_a_copy_before_much_more_is_written() throws IOException {
    byte[] source = used(50 * MIB);
    Files.write(from, source);
    resize(to, 50 * MIB);
    AtomicInteger looks = new AtomicInteger();
    try (LoopDevice first = LoopDevice.of(sys, from, false);
        LoopDevice second = LoopDevice.of(sys, to, false)) {
      StapesException error =
          assertThrows(
              StapesException.class,
              () ->
                  copies.copy(
                      first.path(),
                      second.path(),
                      () -> {
                        if (looks.incrementAndGet() == 2) {
                          throw new StapesException(Kind.EXHAUSTED, "pool", "full");
                        }
                      }));
      assertEquals(Kind.EXHAUSTED, error.kind(), error.toString());
    }
    byte[] written = Files.readAllBytes(to);
    int end = (int) (2 * DeviceContents.LOOK);
    assertEquals(end, Arrays.mismatch(source, written));
  }

  private static void resize(Path file, int size) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(size);
    }
  }

  @Test
  void who_is_interrupted_copies_no_more_and_stays_interrupted() throws IOException {
    Files.write(from, new byte[MIB]);
    Files.write(to, used(MIB));
    try (LoopDevice first = LoopDevice.of(sys, from, false);
        LoopDevice second = LoopDevice.of(sys, to, false)) {
      Thread.currentThread().interrupt();
      StapesException error =
          assertThrows(
              StapesException.class, () -> copies.copy(first.path(), second.path(), () -> {}));
      assertEquals(Kind.INTERRUPTED, error.kind(), error.toString());
      assertTrue(Thread.interrupted());
    }
    assertEquals(-1, Arrays.mismatch(used(MIB), Files.readAllBytes(to)));
  }
}
