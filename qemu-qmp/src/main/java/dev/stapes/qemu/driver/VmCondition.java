package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.qemu.BlockErrorAction;
import dev.stapes.qmp.qemu.BlockIoErrorEvent;
import dev.stapes.qmp.qemu.GuestPanickedEvent;
import dev.stapes.qmp.qemu.ResetEvent;
import dev.stapes.qmp.qemu.ResumeEvent;
import dev.stapes.qmp.qemu.RunState;
import dev.stapes.qmp.qemu.StopEvent;
import dev.stapes.qmp.qemu.WatchdogAction;
import dev.stapes.qmp.qemu.WatchdogEvent;
import dev.stapes.spi.Machine.Incident;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a machine is, as its emulator tells: whether it stands still because somebody wanted that, or
 * because it could not go on. Safe for threads.
 */
final class VmCondition {
  /** A machine whose JVM died while its state was saved stands still, too. */
  private static final Set<RunState> STILL =
      Set.of(RunState.PAUSED, RunState.FINISH_MIGRATE, RunState.POSTMIGRATE);

  /** What it cannot go on from by itself. */
  private static final Set<RunState> FAILED =
      Set.of(
          RunState.IO_ERROR, RunState.INTERNAL_ERROR, RunState.GUEST_PANICKED, RunState.WATCHDOG);

  /** An event comes later than what happened since by no more than this. */
  private static final Duration LATEST = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(VmCondition.class);

  private final List<Consumer<Incident>> listeners = new CopyOnWriteArrayList<>();
  private volatile boolean frozen;
  private volatile @Nullable String failure;
  private volatile boolean suspending;
  private volatile Begin last = new Begin(Instant.EPOCH, 0);
  private volatile Runnable unasked = () -> {};

  /** How often it has stopped or gone on. */
  private long changes;

  private final LongSupplier nanoTime;

  /** When somebody began to suspend or resume it, by the clock that events have and by another. */
  private record Begin(Instant at, long nanoTime) {}

  VmCondition() {
    this(System::nanoTime);
  }

  VmCondition(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  boolean isFrozen() {
    return frozen && failure == null;
  }

  /** Whether its processors run, as far as anybody has told. */
  boolean isGoing() {
    return !frozen && failure == null;
  }

  /** What it cannot go on for; empty while it is well. */
  Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /** What a user is shown. */
  InstanceStatus status() {
    if (failure != null) {
      return InstanceStatus.ERROR;
    }
    return frozen ? InstanceStatus.FROZEN : InstanceStatus.RUNNING;
  }

  /**
   * A program cannot be started in a machine that stands still.
   *
   * @throws StapesException UNAVAILABLE
   */
  void requireGoing(String subject) {
    String stands = failure;
    if (stands != null || frozen) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "it stands still: " + (stands != null ? stands : "frozen"));
    }
  }

  /** Tells of what happens from now on. */
  void listen(Consumer<Incident> listener) {
    listeners.add(listener);
  }

  /**
   * Has the emulator be asked whenever it stops and nobody wanted that: of an internal error of KVM
   * it says nothing else.
   *
   * @param behind where it is asked
   * @param status asks it
   */
  void askAfterStops(Executor behind, Supplier<RunState> status) {
    unasked =
        () -> {
          long seen = changes;
          behind.execute(() -> learn(status, seen));
        };
  }

  private void learn(Supplier<RunState> status, long seen) {
    try {
      RunState state = status.get();
      synchronized (this) {
        if (changes == seen && failure == null && FAILED.contains(state)) {
          fail(state.text(), Map.of());
        }
      }
    } catch (StapesException e) {
      LOG.info("nobody knows why a machine stopped: {}", e.getMessage());
    }
  }

  /**
   * Suspends it.
   *
   * @param stop does it
   */
  void suspend(Runnable stop) {
    last = begin();
    suspending = true;
    try {
      stop.run();
      suspended();
    } finally {
      suspending = false;
    }
  }

  /** It was suspended. */
  void suspended() {
    frozen = true;
  }

  /**
   * Lets it go on. What it says from the beginning of that counts: it may fail again at once.
   *
   * @param cont does it
   */
  void resume(Runnable cont) {
    last = begin();
    boolean stood = frozen;
    String why = failure;
    long change = resumed();
    boolean done = false;
    try {
      cont.run();
      done = true;
    } finally {
      if (!done) {
        takeBack(change, stood, why);
      }
    }
  }

  private synchronized long resumed() {
    frozen = false;
    failure = null;
    return ++changes;
  }

  /** What it has said since is newer. */
  private synchronized void takeBack(long change, boolean stood, @Nullable String why) {
    if (changes == change) {
      frozen = stood;
      failure = why;
    }
  }

  /** How it was found. */
  void found(RunState state) {
    frozen = STILL.contains(state);
    failure = FAILED.contains(state) ? state.text() : null;
  }

  /** Events are told in microseconds. */
  private Begin begin() {
    return new Begin(Instant.now().truncatedTo(ChronoUnit.MICROS), nanoTime.getAsLong());
  }

  /**
   * Whether it was so before somebody began to suspend or resume it, whose answer is newer. Not
   * long after that: a clock that was set back would have all be outdated until it is there again.
   */
  private boolean isOutdated(QmpEvent event) {
    Begin begin = last;
    return (event instanceof StopEvent || event instanceof ResumeEvent)
        && event.at().isBefore(begin.at())
        && nanoTime.getAsLong() - begin.nanoTime() < LATEST.toNanos();
  }

  /** Takes note of an event; they come a moment after the answers of commands. */
  synchronized void hear(QmpEvent event) {
    if (isOutdated(event)) {
      LOG.debug("outdated: {}", event);
      askWhyStopped(event); // if the clock was set back, it was now
    } else if (event instanceof StopEvent) {
      changes++;
      frozen = true;
      askWhyStopped(event);
    } else if (event instanceof ResumeEvent) {
      resumed();
    } else if (event instanceof ResetEvent reset) {
      failure = null;
      tell("instance-restarted", Map.of("reason", reset.reason().text()));
    } else if (event instanceof GuestPanickedEvent) {
      fail("guest-panicked", Map.of());
    } else if (event instanceof BlockIoErrorEvent error) {
      if (error.action() == BlockErrorAction.STOP) {
        fail(
            "io-error",
            Map.of(
                "device",
                error.nodeName().orElse(error.device()),
                "operation",
                error.operation().text(),
                "no_space",
                Boolean.toString(error.nospace().orElse(false)),
                "error",
                error.reason()));
      }
    } else if (event instanceof WatchdogEvent watchdog) {
      tell("instance-watchdog", Map.of("action", watchdog.action().text()));
      if (watchdog.action() == WatchdogAction.PAUSE) {
        fail(RunState.WATCHDOG.text(), Map.of());
      }
    }
  }

  private void askWhyStopped(QmpEvent event) {
    if (event instanceof StopEvent && !suspending && failure == null) {
      try {
        unasked.run();
      } catch (RejectedExecutionException e) {
        // the driver is closed: whoever adopts the machine asks it
      }
    }
  }

  private void fail(String reason, Map<String, String> details) {
    failure = reason;
    TreeMap<String, String> all = new TreeMap<>(details);
    all.put("reason", reason);
    tell("instance-error", all);
  }

  private void tell(String action, Map<String, String> details) {
    Incident incident = new Incident(action, new TreeMap<>(details));
    listeners.forEach(listener -> listener.accept(incident));
  }
}
