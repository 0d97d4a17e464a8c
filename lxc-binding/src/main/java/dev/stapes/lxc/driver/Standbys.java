package dev.stapes.lxc.driver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One container for the next start of its kind, from the first start on: those that end with the
 * JVM are one kind, those that outlive it the other.
 */
final class Standbys implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Standbys.class);

  private static final long DELAY_MILLIS = 20;
  private static final long BOOT_DELAY_MILLIS = 5;

  private final DriverContext context;
  private final RunDirectory runs;
  private final Map<Lifetime, Standby> waiting = new EnumMap<>(Lifetime.class);
  private final Map<Lifetime, Standby> booting = new EnumMap<>(Lifetime.class);
  private final Map<Lifetime, BlankShape> lastStarted = new EnumMap<>(Lifetime.class);
  private boolean closed;

  Standbys(DriverContext context, RunDirectory runs) {
    this.context = context;
    this.runs = runs;
  }

  /**
   * The one that waits for a start; it is the caller's then. Empty: there is none. One that is just
   * being booted is waited for: that is shorter than to start another.
   *
   * @param shape of the instance
   */
  Optional<Standby> take(Lifetime lifetime, Optional<BlankShape> shape) {
    Standby taken;
    synchronized (this) {
      if (!awaitBooted(kind(lifetime))) {
        return Optional.empty();
      }
      taken = waiting.remove(kind(lifetime));
    }
    if (taken == null) {
      return Optional.empty();
    }
    if (!taken.isAlive()) {
      LOG.info("the standby {} has ended", taken.files().name());
      drop(taken);
      return Optional.empty();
    }
    Optional<BlankShape> booted = taken.blank().map(Blank::shape);
    if (booted.isPresent() && !shape.map(booted.get()::isSame).orElse(false)) {
      behind(() -> drop(taken), 0);
      return Optional.empty();
    }
    return Optional.of(taken);
  }

  /** With the lock held; false: interrupted. */
  private boolean awaitBooted(Lifetime kind) {
    try {
      while (booting.containsKey(kind)) {
        wait();
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Prepares one behind the caller, if none waits; not at once, for whoever has started a container
   * wants the CPUs for what he does with it. It is booted where two instances of the same shape
   * were started one after the other.
   *
   * @param shape of the instance that was started
   */
  void refill(Lifetime lifetime, Optional<IdMapping> mapping, Optional<BlankShape> shape) {
    Lifetime kind = kind(lifetime);
    Optional<BlankShape> again;
    synchronized (this) {
      BlankShape last = shape.isPresent() ? lastStarted.put(kind, shape.get()) : null;
      again = shape.filter(now -> last != null && last.isSame(now));
    }
    behind(() -> prepare(kind, mapping, again), DELAY_MILLIS);
  }

  private void behind(Runnable task, long delayMillis) {
    try {
      var unused = context.behind().schedule(task, delayMillis, MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed already", e);
    }
  }

  private void prepare(Lifetime kind, Optional<IdMapping> mapping, Optional<BlankShape> shape) {
    if (!isFull(kind)) {
      prepare(kind, mapping);
    }
    shape.ifPresent(wanted -> behind(() -> boot(kind, wanted), BOOT_DELAY_MILLIS));
  }

  private void prepare(Lifetime kind, Optional<IdMapping> mapping) {
    Standby made;
    try {
      made = Standby.prepare(context, runs.fresh(kind), kind, mapping);
    } catch (IOException | RuntimeException e) {
      LOG.warn("no container is kept ready for the next start", e);
      return;
    }
    boolean kept;
    synchronized (this) {
      kept = !closed && !booting.containsKey(kind) && waiting.putIfAbsent(kind, made) == null;
    }
    if (!kept) {
      drop(made);
    }
  }

  /** Boots the one that waits, if there still is one. */
  private void boot(Lifetime kind, BlankShape shape) {
    Standby standby;
    synchronized (this) {
      standby = waiting.get(kind);
      if (closed || standby == null || standby.blank().isPresent() || !standby.fits(shape)) {
        return;
      }
      waiting.remove(kind);
      booting.put(kind, standby);
    }
    boolean up = false;
    try (Host.Busy busy = context.host().busy()) {
      standby.boot(context, shape);
      up = true;
    } catch (IOException | RuntimeException e) {
      LOG.warn("no container is started ahead", e);
    } finally {
      boolean kept;
      synchronized (this) {
        booting.remove(kind);
        kept = up && !closed;
        if (kept) {
          waiting.put(kind, standby);
        }
        notifyAll();
      }
      if (!kept) {
        drop(standby);
      }
    }
  }

  private synchronized boolean isFull(Lifetime kind) {
    return closed || waiting.containsKey(kind) || booting.containsKey(kind);
  }

  private static Lifetime kind(Lifetime lifetime) {
    return lifetime == Lifetime.THROWAWAY ? Lifetime.THROWAWAY : Lifetime.DURABLE;
  }

  /** Whether a container is one that waits. */
  synchronized boolean has(String name) {
    return Stream.of(waiting, booting)
        .flatMap(all -> all.values().stream())
        .anyMatch(standby -> standby.files().name().equals(name));
  }

  /** Ends and removes one. */
  void drop(Standby standby) {
    try {
      standby.drop(context);
    } catch (IOException | StapesException | UncheckedIOException e) {
      LOG.warn("the standby {} is not removed", standby.files().name(), e);
    }
  }

  /** Ends and removes all. */
  @Override
  public void close() {
    List<Standby> all;
    synchronized (this) {
      closed = true;
      for (Lifetime kind : Lifetime.values()) {
        awaitBooted(kind);
      }
      all = List.copyOf(waiting.values());
      waiting.clear();
    }
    all.forEach(this::drop);
  }
}
