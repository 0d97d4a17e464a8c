package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/**
 * Zeros on block devices, which need not be sent to those that can make them. A discard alone
 * promises nothing of what is read afterwards.
 */
public final class BlockZeros {
  private BlockZeros() {}

  /**
   * Makes a part of a device zeros. Where it can give up the space at the same time it does, and
   * reads as zeros all the same (fallocate(2) with FALLOC_FL_PUNCH_HOLE); else the kernel asks it
   * for zeros, or writes them (BLKZEROOUT). Both take effect like a write: they are on the disk
   * after {@link Fd#sync}.
   *
   * @param device open for writing
   * @param offset in bytes, a multiple of the device's sectors
   * @param length in bytes, likewise
   */
  public static void write(Syscalls sys, Fd device, long offset, long length) {
    int mode = Constants.FALLOC_FL_PUNCH_HOLE | Constants.FALLOC_FL_KEEP_SIZE;
    int result = sys.libc().fallocate(device.number(), mode, offset, length);
    int[] cannot = {Errno.EOPNOTSUPP, Errno.ENODEV, Errno.ENOSYS};
    if (sys.checkUnless(result, "fallocate", device, cannot) < 0) {
      ByteBuffer range = Syscalls.buffer(2 * Long.BYTES);
      range.putLong(0, offset).putLong(Long.BYTES, length);
      sys.check(
          sys.libc().ioctl(device.number(), Abi.BLKZEROOUT, range), "ioctl(BLKZEROOUT)", device);
    }
  }
}
