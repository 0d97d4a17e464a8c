package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * The memory of a guest. QEMU has it in a memfd(2) that it shares with nobody; root reaches that
 * through /proc, and copies what there is of it, leaving holes where the guest has never written.
 */
final class MemoryImage {
  /** How /proc calls the file behind a memory-backend-memfd. */
  private static final String MEMFD = "/memfd:memory-backend-memfd";

  private static final int CHUNK = 1 << 20;

  private final Syscalls sys;
  private final String subject;

  MemoryImage(Syscalls sys, String subject) {
    this.sys = sys;
    this.subject = subject;
  }

  /**
   * Opens that of a process, to be read and written. The caller closes it.
   *
   * @param process its directory in {@code /proc}
   */
  Fd open(Path process) throws IOException {
    for (Map.Entry<Path, String> file : OpenFiles.of(process).entrySet()) {
      if (file.getValue().startsWith(MEMFD)) {
        return Fd.openWithoutWaiting(sys, file.getKey(), Set.of(OpenFlag.READ, OpenFlag.WRITE));
      }
    }
    throw new StapesException(
        Kind.INTERNAL, subject, "process " + process + " has no memory in a file");
  }

  /**
   * Copies what a file holds into an empty one.
   *
   * @return the size of both
   */
  long copy(Fd from, Fd to) {
    long size = from.stat().size();
    to.truncate(size);
    ByteBuffer buffer = Syscalls.buffer(CHUNK);
    long at = seek(from, 0, Constants.SEEK_DATA, size);
    while (at < size) {
      long end = Math.min(size, seek(from, at, Constants.SEEK_HOLE, size));
      while (at < end) {
        requireNoInterrupt();
        buffer.clear().limit((int) Math.min(CHUNK, end - at));
        int count = from.read(buffer, at);
        if (count < 0) {
          throw new StapesException(Kind.INTERNAL, subject, "its memory became shorter");
        }
        buffer.flip();
        to.write(buffer, at);
        at += count;
      }
      at = seek(from, at, Constants.SEEK_DATA, size);
    }
    return size;
  }

  private void requireNoInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          Kind.INTERRUPTED, subject, "interrupted while its memory is copied");
    }
  }

  private long seek(Fd fd, long from, int what, long size) {
    if (from >= size) {
      return size;
    }
    long found = sys.libc().lseek(fd.number(), from, what);
    if (found < 0 && sys.errno() == Errno.ENXIO) {
      return size; // nothing of the kind comes any more
    }
    return sys.check(found, "lseek", fd);
  }
}
