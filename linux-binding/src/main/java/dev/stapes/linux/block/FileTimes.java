package dev.stapes.linux.block;

import dev.stapes.linux.FileStat;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.time.Instant;

/** Two {@code timespec}s as utimensat(2) takes them. */
final class FileTimes {
  private FileTimes() {}

  static ByteBuffer of(FileStat stat) {
    ByteBuffer times = Syscalls.buffer(2 * Layout.timespec_SIZEOF);
    put(times, 0, stat.accessed());
    put(times, Layout.timespec_SIZEOF, stat.modified());
    return times;
  }

  private static void put(ByteBuffer times, int at, Instant time) {
    times.putLong(at + Layout.timespec_tv_sec, time.getEpochSecond());
    times.putLong(at + Layout.timespec_tv_nsec, time.getNano());
  }
}
