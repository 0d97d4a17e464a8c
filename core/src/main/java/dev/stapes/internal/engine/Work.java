package dev.stapes.internal.engine;

import dev.stapes.internal.events.EventBus;
import dev.stapes.internal.operation.Locks;
import dev.stapes.internal.operation.OperationLog;
import dev.stapes.internal.operation.Rollback;
import dev.stapes.model.Device;
import dev.stapes.model.Event;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The frame of every change: a logged operation that holds its locks, keeps the host's slow paths
 * away, writes its intent before it touches the machine, and undoes its steps where one fails.
 */
final class Work {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Catalog catalog;
  private final Host host;
  private final Gate gate;
  private final Locks locks;
  private final OperationLog log;
  private final EventBus events;
  private final InstantSource clock;

  Work(
      Catalog catalog,
      Host host,
      Gate gate,
      Locks locks,
      OperationLog log,
      EventBus events,
      InstantSource clock) {
    this.catalog = catalog;
    this.host = host;
    this.gate = gate;
    this.locks = locks;
    this.log = log;
    this.events = events;
    this.clock = clock;
  }

  /** The lock of an instance. */
  static String lockOf(dev.stapes.model.InstanceId id) {
    return "instance/" + id;
  }

  /** The lock of an instance's name. */
  static String lockOfName(String name) {
    return "name/" + name;
  }

  /**
   * The lock of a pool: shared by who makes something in it, held alone by who makes or removes it.
   */
  static String lockOfPool(String name) {
    return "pool/" + name;
  }

  /**
   * The lock of a custom volume: shared by who copies it or is about to record a use of it, held
   * alone by who changes or removes it.
   */
  static String lockOfVolume(String pool, String name) {
    return "volume/" + pool + "/" + name;
  }

  /** An instance alone, and shared what is to stay until a record with these devices is there. */
  static Locks.Claim ofInstance(dev.stapes.model.InstanceId id, Collection<Device> devices) {
    return Locks.Claim.alone(lockOf(id)).sharing(VolumeUse.locks(devices));
  }

  /** Keeps the engine open for several operations that belong together. */
  Gate.Pass enter() {
    return gate.enter();
  }

  /** Does something as one operation that needs none of the locks. */
  <T> T unlocked(String action, String subject, Progress progress, OperationLog.Call<T> body) {
    try (Gate.Pass pass = gate.enter()) {
      return log.call(action, subject, progress, body);
    }
  }

  /**
   * Does something that takes long as one operation: it holds only what it {@link Step#keep keeps},
   * and the host's slow paths are not kept away but for its {@link Step#part parts}.
   */
  <T> T runLong(String action, String subject, Progress progress, Function<Step, T> body) {
    try (Gate.Pass pass = gate.enter()) {
      return log.call(
          action,
          subject,
          progress,
          told -> {
            try (Resources kept = new Resources();
                Rollback rollback = new Rollback(subject)) {
              T result = body.apply(new Step(told, rollback, kept, action, subject));
              rollback.commit();
              return result;
            }
          });
    }
  }

  /** Does something as one operation that holds some keys alone. */
  <T> T run(String action, String subject, List<String> keys, Function<Step, T> body) {
    Locks.Claim claim = new Locks.Claim(Set.copyOf(keys), Set.of());
    return run(action, subject, () -> claim, Progress.NONE, body);
  }

  /**
   * Does something as one operation, telling a listener how far it is.
   *
   * @param claim what must be held, by what the records say when it is asked; asked again when that
   *     is held, as records may have changed until then
   */
  <T> T run(
      String action,
      String subject,
      Supplier<Locks.Claim> claim,
      Progress progress,
      Function<Step, T> body) {
    try (Gate.Pass pass = gate.enter()) {
      return log.call(
          action,
          subject,
          progress,
          told -> {
            try (Host.Busy busy = host.busy();
                Locks.Held held = hold(claim, action + " of " + subject);
                Resources kept = new Resources();
                Rollback rollback = new Rollback(subject)) {
              T result = body.apply(new Step(told, rollback, kept, action, subject));
              rollback.commit();
              return result;
            }
          });
    }
  }

  private Locks.Held hold(Supplier<Locks.Claim> claim, String operation) {
    while (true) {
      Locks.Claim wanted = claim.get();
      Locks.Held held = locks.acquire(wanted, operation, PATIENCE);
      boolean kept = false;
      try {
        if (wanted.covers(claim.get())) {
          kept = true;
          return held;
        }
      } finally {
        if (!kept) {
          held.close();
        }
      }
    }
  }

  /** Says that something happened. */
  void happened(String action, String subject, Map<String, String> details) {
    events.publish(Event.Lifecycle.of(clock.instant(), action, subject, details));
  }

  /** Fails with INTERRUPTED where the thread was interrupted: between two steps. */
  static void checkInterrupt(String subject) {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, subject, "interrupted: rolled back");
    }
  }

  /** One operation at work. */
  final class Step {
    private final Progress operation;
    private final Rollback rollback;
    private final Resources kept;
    private final String action;
    private final String subject;
    private @org.jspecify.annotations.Nullable String intentId;

    private Step(
        Progress operation, Rollback rollback, Resources kept, String action, String subject) {
      this.operation = operation;
      this.rollback = rollback;
      this.kept = kept;
      this.action = action;
      this.subject = subject;
    }

    Progress progress() {
      return operation;
    }

    /** Does a part of it that is short, with keys held. */
    void part(Supplier<Locks.Claim> claim, Runnable body) {
      try (Host.Busy busy = host.busy();
          Locks.Held held = hold(claim, action + " of " + subject)) {
        body.run();
      }
    }

    /** Holds keys from now on until all is done, or undone. */
    void keep(Locks.Claim claim) {
      kept.own(locks.acquire(claim, action + " of " + subject, PATIENCE));
    }

    /** Does something when all is done, or undone. */
    void atEnd(AutoCloseable last) {
      kept.own(last);
    }

    /** Names a step that can be undone. */
    void undo(String what, Runnable undo) {
      rollback.add(what, undo::run);
    }

    /** Writes what is about to be done to the machine, where the outcome is durable. */
    void intend(boolean throwaway, List<Intent.VolumeRef> volumes) {
      if (!throwaway) {
        intend(Intent.onVolumes(action, subject, volumes));
      }
    }

    void intend(Intent intent) {
      String id = Ids.ordered(clock.instant());
      catalog.change(false).put(id, intent).commit();
      intentId = id;
      rollback.add("intent " + id, () -> catalog.change(false).removeIntent(id).commit());
    }

    /** Writes the intent once more, with what has been chosen since. */
    void amend(Intent intent) {
      catalog.change(false).put(Objects.requireNonNull(intentId), intent).commit();
    }

    /** The intent that was written, if one was. */
    Optional<String> intent() {
      return Optional.ofNullable(intentId);
    }

    /** The outcome is committed: what was done stays, whatever happens after. */
    void done() {
      rollback.commit();
    }

    /** Commits the outcome together with the end of the intent. */
    long conclude(Catalog.Change change) {
      String id = intentId;
      if (id != null) {
        change.removeIntent(id);
      }
      return change.commit();
    }

    /**
     * Commits an outcome that leaves volumes behind which nothing refers to any more; the answer is
     * the intent that stands for them until they are removed.
     */
    String concludeLeaving(Catalog.Change change, List<Intent.VolumeRef> volumes) {
      String id = Ids.ordered(clock.instant());
      change.put(id, Intent.onVolumes(action, subject, volumes));
      conclude(change);
      return id;
    }
  }
}
