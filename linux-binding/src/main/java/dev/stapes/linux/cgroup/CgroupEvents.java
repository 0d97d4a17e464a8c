package dev.stapes.linux.cgroup;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Waits for a group to become what one wants it to be.
 *
 * <p>The unified hierarchy tells changes of {@code cgroup.events} by inotify. v1 has nothing of the
 * kind but a program that the kernel starts, so there, and where a process is in v1 groups alone,
 * looking again is all there is: after 1 ms, then ever more seldom, up to 16 ms.
 */
final class CgroupEvents {
  private static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long LONGEST = TimeUnit.MILLISECONDS.toNanos(16);
  // An event can be missed while the file appears and vanishes; nobody waits longer than this for
  // the next look.
  private static final long NEXT_LOOK = TimeUnit.MILLISECONDS.toNanos(100);

  private CgroupEvents() {}

  /**
   * Waits for {@code condition}.
   *
   * @param events the file that tells, if there is one just then
   * @return whether it came true within the time
   */
  static boolean await(Supplier<Optional<Path>> events, BooleanSupplier condition, Duration timeout)
      throws InterruptedException {
    long start = System.nanoTime();
    long limit = timeout.toNanos();
    if (condition.getAsBoolean()) {
      return true;
    }
    try (Watch watch = Watch.open(events.get())) {
      long pause = SHORTEST;
      while (!condition.getAsBoolean()) {
        long left = limit - (System.nanoTime() - start);
        if (left <= 0) {
          return false;
        }
        if (events.get().isPresent() && watch.tells()) {
          watch.await(Math.min(left, NEXT_LOOK));
        } else {
          TimeUnit.NANOSECONDS.sleep(Math.min(left, pause));
          pause = Math.min(2 * pause, LONGEST);
        }
      }
      return true;
    }
  }

  /** An inotify watch, or none where there is no file or the kernel has no watch left for us. */
  private record Watch(Optional<WatchService> service) implements AutoCloseable {

    static Watch open(Optional<Path> events) {
      if (events.isEmpty()) {
        return new Watch(Optional.empty());
      }
      Path directory = events.get().resolveSibling(".").normalize();
      WatchService service = null;
      try {
        service = directory.getFileSystem().newWatchService();
        directory.register(service, StandardWatchEventKinds.ENTRY_MODIFY);
        return new Watch(Optional.of(service));
      } catch (IOException noneLeftOrGone) {
        new Watch(Optional.ofNullable(service)).close();
        return new Watch(Optional.empty());
      }
    }

    boolean tells() {
      return service.isPresent();
    }

    void await(long nanos) throws InterruptedException {
      WatchKey key = service.orElseThrow().poll(nanos, TimeUnit.NANOSECONDS);
      if (key != null) {
        key.pollEvents();
        key.reset();
      }
    }

    @Override
    public void close() {
      service.ifPresent(
          open -> {
            try {
              open.close();
            } catch (IOException nothingToLose) {
              // The watch served only to wait; there is nothing unwritten in it.
            }
          });
    }
  }
}
