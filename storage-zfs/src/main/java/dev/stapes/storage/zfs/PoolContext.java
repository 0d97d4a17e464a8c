package dev.stapes.storage.zfs;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What every part of a pool works with.
 *
 * @param host the machine
 * @param spec what was asked for
 * @param directory for the pool's own files
 * @param machine the root directory of the machine, where {@code proc} is looked at
 * @param calls what takes no process; empty: all is done by commands
 */
record PoolContext(
    Host host, PoolSpec spec, Path directory, Path machine, Optional<ZfsCalls> calls) {
  /** One that does all by commands. */
  PoolContext(Host host, PoolSpec spec, Path directory, Path machine) {
    this(host, spec, directory, machine, Optional.empty());
  }

  /** For messages. */
  String subject() {
    return "pool " + spec.name();
  }

  /** The path by which this JVM reaches a path of the host's mount namespace. */
  Path local(Path path) {
    return host.mounts().local(path);
  }

  /** An error of this JVM's own I/O. */
  StapesException failed(IOException cause, String problem) {
    return new StapesException(
        DriverErrors.kind(cause), subject(), problem + ": " + cause.getMessage(), cause);
  }

  StapesException failure(StapesException.Kind kind, String problem) {
    return new StapesException(kind, subject(), problem);
  }

  StapesException failure(StapesException.Kind kind, String problem, Throwable cause) {
    return new StapesException(kind, subject(), problem, cause);
  }
}
