package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Copies what is in files, in the best way that the two file systems have: by sharing blocks, else
 * within the kernel, else through a buffer; holes stay holes. One per thread.
 */
final class Contents {
  private static final int BUFFER = 256 * 1024;
  private static final long CHUNK = 1L << 30;

  private final Syscalls sys;
  private boolean shares = true;
  private boolean copiesInKernel = true;
  private @Nullable ByteBuffer buffer;

  Contents(Syscalls sys) {
    this.sys = sys;
  }

  /** Copies all into an empty file. */
  void copy(Fd from, Fd to, FileStat stat) {
    if (stat.size() == 0 || shared(from, to)) {
      return;
    }
    if (stat.allocated() >= stat.size()) {
      range(from, to, 0, stat.size());
    } else {
      sparse(from, to, stat.size());
    }
    to.truncate(stat.size());
  }

  private boolean shared(Fd from, Fd to) {
    if (!shares) {
      return false;
    }
    int result = sys.libc().ioctl(to.number(), Abi.FICLONE, (long) from.number());
    int[] cannot = {Errno.EOPNOTSUPP, Errno.EXDEV, Errno.ENOTTY, Errno.ENOSYS, Errno.EINVAL};
    int done = sys.checkUnless(result, "ioctl(FICLONE)", to, cannot);
    // EINVAL is about this file (such as one that is not copied on write), the others about all.
    shares = done >= 0 || done == -Errno.EINVAL;
    return done >= 0;
  }

  private void sparse(Fd from, Fd to, long size) {
    long at = 0;
    while (at < size) {
      long data = seek(from, at, Constants.SEEK_DATA);
      if (data < 0 || data >= size) {
        return;
      }
      long hole = seek(from, data, Constants.SEEK_HOLE);
      long end = hole < 0 ? size : Math.min(hole, size);
      range(from, to, data, end);
      at = end;
    }
  }

  /** -1 where there is nothing of the kind any more. */
  private long seek(Fd fd, long from, int what) {
    long found = sys.libc().lseek(fd.number(), from, what);
    if (found < 0 && sys.errno() == Errno.ENXIO) {
      return -1;
    }
    return sys.check(found, "lseek", fd);
  }

  private void range(Fd from, Fd to, long start, long end) {
    seek(from, start, Constants.SEEK_SET);
    seek(to, start, Constants.SEEK_SET);
    long at = start;
    while (at < end) {
      long count = copiesInKernel ? inKernel(from, to, end - at) : buffered(from, to, end - at);
      if (count == 0) {
        return; // it became shorter meanwhile
      }
      at += Math.max(count, 0);
    }
  }

  /** -1 where the kernel cannot, from then on. */
  private long inKernel(Fd from, Fd to, long length) {
    long count;
    do {
      count =
          sys.libc()
              .copy_file_range(from.number(), null, to.number(), null, Math.min(length, CHUNK), 0);
    } while (sys.interrupted(count));
    if (count < 0
        && (sys.errno() == Errno.EXDEV
            || sys.errno() == Errno.EINVAL
            || sys.errno() == Errno.EOPNOTSUPP
            || sys.errno() == Errno.ENOSYS)) {
      copiesInKernel = false;
      return -1;
    }
    return sys.check(count, "copy_file_range", to);
  }

  private long buffered(Fd from, Fd to, long length) {
    ByteBuffer through = buffer == null ? Syscalls.buffer(BUFFER) : buffer;
    buffer = through;
    through.clear().limit((int) Math.min(length, BUFFER));
    int count = from.read(through);
    to.write(through.flip());
    return Math.max(count, 0);
  }
}
