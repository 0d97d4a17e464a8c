package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The pair of times that utimensat(2) takes. */
final class Times {
  private Times() {}

  static ByteBuffer of(@Nullable Instant accessed, @Nullable Instant modified) {
    ByteBuffer times = Syscalls.buffer(2 * Layout.timespec_SIZEOF);
    put(times, 0, accessed);
    put(times, Layout.timespec_SIZEOF, modified);
    return times;
  }

  private static void put(ByteBuffer times, int at, @Nullable Instant time) {
    long seconds = time == null ? 0 : time.getEpochSecond();
    long nanos = time == null ? Constants.UTIME_OMIT : time.getNano();
    times.putLong(at + Layout.timespec_tv_sec, seconds);
    times.putLong(at + Layout.timespec_tv_nsec, nanos);
  }
}
