package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/** What nobody has written to the beginning of, as far as that shows. */
public final class BlankDevice {
  /** File systems, tables of partitions and volume groups say within that who they are. */
  private static final int LOOKED_AT = 1 << 20;

  /** What is wiped last: where most of them say it. */
  private static final int HEAD = 4096;

  private BlankDevice() {}

  /** The first byte that is not zero, of the first MiB; empty where the device is blank. */
  public static OptionalLong firstByte(Fd device) {
    ByteBuffer start = ByteBuffer.allocateDirect(LOOKED_AT);
    while (start.hasRemaining() && device.read(start, start.position()) > 0) {
      // reads on
    }
    start.flip();
    while (start.hasRemaining()) {
      if (start.get() != 0) {
        return OptionalLong.of(start.position() - 1L);
      }
    }
    return OptionalLong.empty();
  }

  /** Why it is not to be taken, and what can be done; empty where it is blank. */
  public static Optional<String> problem(Fd device) {
    OptionalLong data = firstByte(device);
    return data.isPresent()
        ? Optional.of(
            "not blank: there is data at byte "
                + data.getAsLong()
                + "; overwrite its first MiB with zeros if nobody needs it")
        : Optional.empty();
  }

  /** Makes the first MiB blank, and the block that begins it last. */
  public static void wipe(Syscalls sys, Fd device) {
    wipe(sys, device, LOOKED_AT, HEAD);
  }

  /**
   * Makes the beginning blank. Its head goes last: where this is cut short one can still see what
   * was there, and begin again.
   *
   * @param length bytes to make blank; a smaller device becomes blank altogether
   * @param head bytes of these that say what is there
   */
  public static void wipe(Syscalls sys, Fd device, int length, int head) {
    int size = (int) Math.min(length, LoopDevice.sizeOf(sys, device));
    if (size > head) {
      device.write(ByteBuffer.allocateDirect(size - head), head);
      device.sync();
    }
    device.write(ByteBuffer.allocateDirect(Math.min(head, size)), 0);
    device.sync();
  }
}
