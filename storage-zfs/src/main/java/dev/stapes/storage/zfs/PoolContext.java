package dev.stapes.storage.zfs;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import java.nio.file.Path;

/**
 * What every part of a pool works with.
 *
 * @param host the machine
 * @param spec what was asked for
 * @param directory for the pool's own files
 */
record PoolContext(Host host, PoolSpec spec, Path directory) {
  /** For messages. */
  String subject() {
    return "pool " + spec.name();
  }

  /** The path by which this JVM reaches a path of the host's mount namespace. */
  Path local(Path path) {
    return host.mounts().local(path);
  }

  StapesException failure(StapesException.Kind kind, String problem) {
    return new StapesException(kind, subject(), problem);
  }

  StapesException failure(StapesException.Kind kind, String problem, Throwable cause) {
    return new StapesException(kind, subject(), problem, cause);
  }

  /** Adds an error of cleaning up to the one that made it necessary. */
  static void alsoDo(RuntimeException reason, Runnable cleanup) {
    try {
      cleanup.run();
    } catch (RuntimeException e) {
      if (e != reason) {
        reason.addSuppressed(e);
      }
    }
  }
}
