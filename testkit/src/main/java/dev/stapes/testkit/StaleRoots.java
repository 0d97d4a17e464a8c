package dev.stapes.testkit;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Root directories of test runs whose JVM was killed. Each is named by the pid of its JVM and the
 * time when that was started, as pids are used again. Never instantiated.
 */
final class StaleRoots {
  private static final Logger LOG = LoggerFactory.getLogger(StaleRoots.class);
  private static final Pattern NAME = Pattern.compile("([0-9]{1,10})-([0-9]{1,18})-[0-9]{1,9}");

  /** A start is counted from the boot, and the time of that moves when the clock is set. */
  private static final long SAME_MILLIS = 10_000;

  private static final String LOCK = "cleaning.lock";

  private StaleRoots() {}

  /** What names of root directories of this JVM begin with. */
  static String prefix() {
    ProcessHandle self = ProcessHandle.current();
    return self.pid() + "-" + startedAt(self);
  }

  /**
   * Lets the engine repair what JVMs that were killed left, then removes it. Of JVMs that come at
   * once one does it and the others go on. A root that somebody has open is left alone.
   */
  static void remove(Path parent, StapesOpener opener) {
    try (FileChannel file =
            FileChannel.open(
                parent.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = file.tryLock()) {
      if (lock != null) {
        for (Path root : roots(parent)) {
          if (isStale(root)) {
            removeOne(root, opener);
          }
        }
      }
    } catch (OverlappingFileLockException e) {
      LOG.debug("another thread of this JVM removes stale roots", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void removeOne(Path root, StapesOpener opener) {
    try {
      opener.open(root).close();
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.UNAVAILABLE) {
        throw e;
      }
      LOG.warn("{} is left for now: {}", root, e.getMessage());
      return;
    }
    BuildDirectory.remove(root);
  }

  private static List<Path> roots(Path parent) throws IOException {
    try (Stream<Path> entries = Files.list(parent)) {
      return entries.filter(Files::isDirectory).sorted().toList();
    }
  }

  /**
   * Whether it is named as one of ours and its JVM is gone; what it says is checked by its lock.
   */
  private static boolean isStale(Path root) {
    Matcher name = NAME.matcher(root.getFileName().toString());
    if (!name.matches()) {
      return false;
    }
    Optional<ProcessHandle> owner = ProcessHandle.of(Long.parseLong(name.group(1)));
    return owner.isEmpty()
        || Math.abs(startedAt(owner.get()) - Long.parseLong(name.group(2))) > SAME_MILLIS;
  }

  /** Milliseconds since the epoch; 0 where the machine does not tell. */
  private static long startedAt(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }
}
