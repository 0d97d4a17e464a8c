package dev.stapes.lxc.driver;

import dev.stapes.lxc.ffi.LockFiles;
import dev.stapes.model.IdMapping;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Processes;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A container of nobody's yet: its directory, and an {@code lxc-start} that has been executed and
 * linked, and waits for liblxc's own lock to read its configuration. That takes a third of a start.
 * The lock is this JVM's: with the JVM it is gone, and lxc-start finds no configuration that it
 * could start.
 */
final class Standby {
  /** What lxc-start does not take for a configuration. */
  private static final String NONE = "none yet\n";

  private static final int SIGKILL = 9;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final RunFiles files;
  private final Optional<IdMapping> mapping;
  private final Processes.Child monitor;
  private final Closeable lock;

  private Standby(
      RunFiles files, Optional<IdMapping> mapping, Processes.Child monitor, Closeable lock) {
    this.files = files;
    this.mapping = mapping;
    this.monitor = monitor;
    this.lock = lock;
  }

  /**
   * Prepares one.
   *
   * @param files with nothing there
   * @param mapping that the instance will likely have
   */
  static Standby prepare(
      DriverContext context, RunFiles files, Lifetime lifetime, Optional<IdMapping> mapping)
      throws IOException {
    Closeable lock = LockFiles.hold(files.lxcPath(), files.name());
    boolean done = false;
    try {
      create(context, files, mapping);
      RunFiles.write(files.config(), NONE);
      Standby standby = new Standby(files, mapping, spawn(context, files, lifetime), lock);
      done = true;
      return standby;
    } finally {
      if (!done) {
        lock.close();
        files.remove();
      }
    }
  }

  /** Makes the directory of a container. */
  static void create(DriverContext context, RunFiles files, Optional<IdMapping> mapping)
      throws IOException {
    files.create();
    Agent.prepare(context.sys(), files.agent(), mapping);
  }

  /** Executes lxc-start for a container. */
  static Processes.Child spawn(DriverContext context, RunFiles files, Lifetime lifetime) {
    Processes.Start start = context.program(context.start(), files, "-F", "-C");
    return context
        .host()
        .processes()
        .start(lifetime == Lifetime.THROWAWAY ? start.dyingWithHost() : start);
  }

  /** Its directory. */
  RunFiles files() {
    return files;
  }

  /** The owners for whom its directory was made. */
  Optional<IdMapping> mapping() {
    return mapping;
  }

  /** Whether it still waits. */
  boolean isAlive() {
    return monitor.isAlive();
  }

  /** Lets it read its configuration, and start. */
  Processes.Child go() throws IOException {
    lock.close();
    return monitor;
  }

  /** Ends it and removes it. */
  void drop() throws IOException {
    try (HeldProcess ended = new HeldProcess(monitor)) {
      ended.signal(SIGKILL);
      ended.exit().toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // killed it is
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("lxc-start of " + files.name() + " does not end", e);
    } finally {
      lock.close();
      files.remove();
    }
  }
}
