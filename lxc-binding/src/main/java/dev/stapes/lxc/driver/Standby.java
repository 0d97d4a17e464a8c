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
import org.jspecify.annotations.Nullable;

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
  private boolean started;
  private @Nullable Blank blank;

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
    AgentDirectory.prepare(context.sys(), files.agent(), mapping);
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

  /**
   * Starts it without the root file system of an instance, for one of this shape, and waits until
   * it has come up.
   */
  void boot(DriverContext context, BlankShape shape) throws IOException {
    blank = Blank.boot(context, this, shape);
  }

  /** Whether it was made for the owners that instances of a shape have. */
  boolean fits(BlankShape shape) {
    return mapping.equals(Optional.of(shape.mapping()));
  }

  /** What it is once it has been booted. */
  Optional<Blank> blank() {
    return Optional.ofNullable(blank);
  }

  /** Lets it read its configuration, and start. */
  Processes.Child go() throws IOException {
    started = true;
    lock.close();
    return monitor;
  }

  /** Ends it and removes it, with what a boot that failed has left of it. */
  void drop(DriverContext context) throws IOException {
    boolean interrupted = Thread.interrupted(); // it has to go all the same
    if (blank != null) {
      blank.close();
    }
    try (HeldProcess ended = new HeldProcess(monitor)) {
      ended.signal(SIGKILL);
      ended.exit().toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      interrupted = true; // killed it is
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("lxc-start of " + files.name() + " does not end", e);
    } finally {
      lock.close();
      remove(context);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void remove(DriverContext context) throws IOException {
    if (!started) {
      files.remove();
      return;
    }
    try {
      Remains.remove(context.host(), context.layout(), files);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the next open collects it
    }
  }
}
