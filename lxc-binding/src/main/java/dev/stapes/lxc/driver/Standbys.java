package dev.stapes.lxc.driver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One container for the next start of its kind, from the first start on: those that end with the
 * JVM are one kind, those that outlive it the other.
 */
final class Standbys implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Standbys.class);

  private static final long DELAY_MILLIS = 20;

  private final DriverContext context;
  private final RunDirectory runs;
  private final Map<Lifetime, Standby> waiting = new EnumMap<>(Lifetime.class);
  private boolean closed;

  Standbys(DriverContext context, RunDirectory runs) {
    this.context = context;
    this.runs = runs;
  }

  /** The one that waits for a start; it is the caller's then. Empty: there is none. */
  Optional<Standby> take(Lifetime lifetime) {
    Standby taken;
    synchronized (this) {
      taken = waiting.remove(kind(lifetime));
    }
    if (taken != null && !taken.isAlive()) {
      LOG.info("the standby {} has ended", taken.files().name());
      drop(taken);
      return Optional.empty();
    }
    return Optional.ofNullable(taken);
  }

  /**
   * Prepares one behind the caller, if none waits; not at once, for whoever has started a container
   * wants the CPUs for what he does with it.
   */
  void refill(Lifetime lifetime, Optional<IdMapping> mapping) {
    try {
      var unused =
          context
              .behind()
              .schedule(() -> prepare(kind(lifetime), mapping), DELAY_MILLIS, MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed already", e);
    }
  }

  private void prepare(Lifetime kind, Optional<IdMapping> mapping) {
    if (isFull(kind)) {
      return;
    }
    Standby made;
    try {
      made = Standby.prepare(context, runs.fresh(kind), kind, mapping);
    } catch (IOException | RuntimeException e) {
      LOG.warn("no container is kept ready for the next start", e);
      return;
    }
    boolean kept;
    synchronized (this) {
      kept = !closed && waiting.putIfAbsent(kind, made) == null;
    }
    if (!kept) {
      drop(made);
    }
  }

  private synchronized boolean isFull(Lifetime kind) {
    return closed || waiting.containsKey(kind);
  }

  private static Lifetime kind(Lifetime lifetime) {
    return lifetime == Lifetime.THROWAWAY ? Lifetime.THROWAWAY : Lifetime.DURABLE;
  }

  /** Whether a container is one that waits. */
  synchronized boolean has(String name) {
    return waiting.values().stream().anyMatch(standby -> standby.files().name().equals(name));
  }

  private static void drop(Standby standby) {
    try {
      standby.drop();
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
      all = List.copyOf(waiting.values());
      waiting.clear();
    }
    all.forEach(Standbys::drop);
  }
}
