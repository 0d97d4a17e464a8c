package dev.stapes.linux.host;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Fd;
import dev.stapes.linux.Ready;
import dev.stapes.linux.ffi.Syscalls;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Collects what comes out of a pipe, up to a limit. */
final class Collector {
  private static final int CHUNK = 64 * 1024;

  private final Fd pipe;
  private final int limit;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private boolean ended;
  private boolean overflowing;

  Collector(Fd pipe, int limit) {
    this.pipe = pipe;
    this.limit = limit;
  }

  /**
   * Collects until the child has ended, or writes too much, or the time is over. What a grandchild
   * that holds a pipe writes after the child's end is not waited for.
   *
   * @return false if the time is over
   */
  static boolean collect(
      Syscalls sys, ChildProcess child, Duration timeout, List<Collector> collectors)
      throws InterruptedException {
    Optional<Fd> pidfd = child.pidfd();
    try {
      Ready ready = new Ready(sys, timeout);
      ByteBuffer buffer = Syscalls.buffer(CHUNK);
      boolean running = pidfd.isPresent();
      while (running) {
        List<Fd> waited = new ArrayList<>();
        collectors.stream().filter(c -> !c.ended).forEach(c -> waited.add(c.pipe));
        waited.add(pidfd.orElseThrow());
        List<Fd> readable = ready.await(waited);
        if (readable.isEmpty()) {
          return false;
        }
        for (Collector collector : collectors) {
          if (readable.contains(collector.pipe)) {
            collector.take(buffer);
          }
        }
        if (collectors.stream().anyMatch(Collector::isOverflowing)) {
          return true;
        }
        running = !readable.equals(List.of(pidfd.orElseThrow()));
      }
      for (Collector collector : collectors) {
        collector.drain(sys, buffer);
      }
      return true;
    } finally {
      pidfd.ifPresent(Fd::close);
    }
  }

  private void take(ByteBuffer buffer) {
    int count = pipe.read(buffer.clear());
    if (count < 0) {
      ended = true;
      return;
    }
    if (bytes.size() + count > limit) {
      overflowing = true;
      return;
    }
    byte[] chunk = new byte[count];
    buffer.flip().get(chunk);
    bytes.writeBytes(chunk);
  }

  private void drain(Syscalls sys, ByteBuffer buffer) throws InterruptedException {
    while (!ended && !overflowing) {
      if (new Ready(sys, Duration.ZERO).await(List.of(pipe)).isEmpty()) {
        return;
      }
      take(buffer);
    }
  }

  boolean isOverflowing() {
    return overflowing;
  }

  int limit() {
    return limit;
  }

  String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
