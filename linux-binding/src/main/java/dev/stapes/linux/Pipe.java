package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Syscalls;

/**
 * Two ends of a pipe; see pipe(7).
 *
 * @param read what is written to {@code write} comes out here
 * @param write closing it, by all who have it, is the end of the file for {@code read}
 */
public record Pipe(Fd read, Fd write) implements AutoCloseable {
  /** Makes a pipe. */
  public static Pipe open(Syscalls sys) {
    int[] ends = new int[2];
    sys.check(sys.libc().pipe2(ends, Constants.O_CLOEXEC), "pipe2", "pipe");
    return new Pipe(Fd.adopt(sys, ends[0], "pipe"), Fd.adopt(sys, ends[1], "pipe"));
  }

  /** Closes both ends. */
  @Override
  public void close() {
    try (read) {
      write.close();
    }
  }
}
