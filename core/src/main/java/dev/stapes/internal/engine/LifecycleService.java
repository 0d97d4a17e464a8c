package dev.stapes.internal.engine;

import dev.stapes.internal.events.EventBus;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts, stops and deletes instances. */
public final class LifecycleService {
  private static final Logger LOG = LoggerFactory.getLogger(LifecycleService.class);
  private static final Duration AFTER_KILL = Duration.ofSeconds(20);
  private static final String POWER = "volatile.last_state.power";

  private final Catalog catalog;
  private final Work work;
  private final Allocation allocation;
  private final Machines machines;
  private final Templates templates;
  private final SavedStates states;
  private final Trash trash;
  private final ConsoleLogs logs;
  private final EventBus events;
  private final InstantSource clock;
  private final Restarts restarts;

  LifecycleService(
      Catalog catalog,
      Work work,
      Allocation allocation,
      Machines machines,
      Templates templates,
      SavedStates states,
      Trash trash,
      ConsoleLogs logs,
      EventBus events,
      InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.allocation = allocation;
    this.machines = machines;
    this.templates = templates;
    this.states = states;
    this.trash = trash;
    this.logs = logs;
    this.events = events;
    this.clock = clock;
    this.restarts = new Restarts(clock);
  }

  /**
   * Starts an instance.
   *
   * @param stateless whether memory that was saved is dropped
   */
  public void start(InstanceId id, boolean stateless) {
    locked(
        "instance-start",
        id,
        (record, step) -> {
          requireStopped(record);
          startLocked(stateless ? states.forget(record) : record);
        });
  }

  private void requireStopped(InstanceRecord record) {
    if (machines.find(record.instanceId()).isPresent()) {
      throw new StapesException(Kind.CONFLICT, record.subject(), "is running already");
    }
  }

  private void startLocked(InstanceRecord record) {
    requireStopped(record);
    if (record.typedConfig().isTrue(InstanceKeys.PROTECTION_START)) {
      throw new StapesException(Kind.DENIED, record.subject(), "security.protection.start is set");
    }
    // Once more: a config that was changed or restored since may need what it did not need before.
    allocation.use(record, chosen -> begin(record, templates.apply(chosen)));
    work.happened("instance-started", record.subject(), Map.of("id", record.id()));
  }

  private void begin(InstanceRecord record, InstanceRecord prepared) {
    Running started = machines.start(prepared);
    try {
      begun(prepared.startedAt(clock.instant()), started);
    } catch (RuntimeException | Error e) {
      giveUp(record, started, e);
      throw e;
    }
  }

  private void begun(InstanceRecord record, Running started) {
    if (SavedStates.idIn(record.config()).isPresent()) {
      InstanceRecord now = SavedStates.with(record, Optional.empty());
      states.goOn(record, withPower(now, "RUNNING"), started);
    } else {
      remember(record, "RUNNING");
    }
  }

  /** Ends a machine whose start could not be written down. */
  private void giveUp(InstanceRecord record, Running started, Throwable cause) {
    try {
      killAndWait(record, started);
      machines.ended(started);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /** Stops an instance, if it runs. */
  public void stop(InstanceId id, Optional<Duration> timeout, boolean force) {
    locked(
        "instance-stop",
        id,
        (record, step) -> {
          Optional<Running> running = machines.find(id);
          if (running.isPresent()) {
            end(record, running.get(), timeout, force);
            if (record.lifetime() != Lifetime.DURABLE) {
              remove(record, step);
            }
          }
        });
  }

  /** Stops an instance, if it runs, so that it goes on from there with the next start. */
  public void stopWithState(InstanceId id) {
    locked(
        "instance-stop",
        id,
        (record, step) -> {
          Optional<Running> running = machines.find(id);
          if (running.isPresent()) {
            SavedStates.requireDurable(record);
            states.require(record);
            step.intend(Intent.stillnessOf(record));
            String state = states.save(record, running.get(), step);
            InstanceRecord saved =
                withPower(SavedStates.with(record, Optional.of(state)), "STOPPED");
            step.conclude(catalog.change(false).put(saved));
            step.done();
            endSaved(saved, running.get());
          }
        });
  }

  /** From now on it must not run any more: its memory would be older than its disk. */
  private void endSaved(InstanceRecord saved, Running running) {
    boolean interrupted = Thread.interrupted();
    try {
      end(saved, running, Optional.empty(), true);
    } catch (RuntimeException e) {
      machines.outOfReach(saved, "its memory was saved, but it does not end");
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Stops an instance, if it runs, and starts it. */
  public void restart(InstanceId id, Optional<Duration> timeout, boolean force) {
    locked(
        "instance-restart",
        id,
        (record, step) -> {
          machines.find(id).ifPresent(running -> end(record, running, timeout, force));
          startLocked(record(id));
        });
  }

  /** Ends a machine; with the lock held. */
  void end(InstanceRecord record, Running running, Optional<Duration> timeout, boolean force) {
    if (force) {
      killAndWait(record, running);
    } else {
      Duration patience =
          timeout.orElseGet(
              () ->
                  Duration.ofSeconds(
                      record
                          .typedConfig()
                          .get(InstanceKeys.BOOT_HOST_SHUTDOWN_TIMEOUT)
                          .orElse(30L)));
      askAndWait(record, running, patience);
    }
    over(record, running, !force);
    work.happened(
        force ? "instance-stopped" : "instance-shutdown",
        record.subject(),
        Map.of("id", record.id()));
  }

  /**
   * Written down before it shows.
   *
   * @param tell whether how it ended is worth knowing: it was not killed by us
   */
  private void over(InstanceRecord record, Running running, boolean tell) {
    try {
      TreeMap<String, String> config = new TreeMap<>(record.config());
      config.put(POWER, "STOPPED");
      if (tell) {
        Optional.ofNullable(running.machine().exit().toCompletableFuture().getNow(null))
            .ifPresent(exit -> put(config, exit));
      }
      write(record, config);
    } finally {
      machines.ended(running);
    }
  }

  /** Of one that has ended. */
  private static void put(Map<String, String> config, Machine.Exit exit) {
    config.remove(InstanceInfo.EXIT_CODE);
    config.put(InstanceInfo.EXIT_REASON, exit.reason());
    code(exit).ifPresent(code -> config.put(InstanceInfo.EXIT_CODE, code));
  }

  private static Optional<String> code(Machine.Exit exit) {
    return exit.code().isPresent()
        ? Optional.of(Integer.toString(exit.code().getAsInt()))
        : Optional.empty();
  }

  private void killAndWait(InstanceRecord record, Running running) {
    awaitEnd(record, running, running.machine()::kill, AFTER_KILL);
  }

  private void askAndWait(InstanceRecord record, Running running, Duration patience) {
    awaitEnd(record, running, running.machine()::requestShutdown, patience);
  }

  /** One that does not end in time goes on, and may end by itself any time later. */
  private void awaitEnd(InstanceRecord record, Running running, Runnable cause, Duration patience) {
    running.expectEnd();
    boolean ended = false;
    try {
      cause.run();
      awaitExit(record, running.machine(), patience);
      ended = true;
    } finally {
      if (!ended) {
        machines.goesOn(running);
      }
    }
  }

  /** Ends a machine whose root disk is swapped next; where that fails it is started again. */
  void endForRestore(InstanceRecord record, Running running, Work.Step step) {
    step.undo("run of " + record.subject(), () -> runAgain(record.instanceId()));
    end(record, running, Optional.empty(), true);
  }

  private void runAgain(InstanceId id) {
    Optional<Running> running = machines.find(id);
    if (running.isEmpty() || running.get().hasEnded()) {
      running.ifPresent(machines::ended);
      startLocked(record(id));
    }
  }

  /** Starts an instance whose root disk was swapped. */
  void startAfterRestore(InstanceId id) {
    startLocked(record(id));
  }

  private static void awaitExit(InstanceRecord record, Machine machine, Duration patience) {
    try {
      machine
          .exit()
          .toCompletableFuture()
          .get(TimeUnit.NANOSECONDS.convert(patience), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new StapesException(
          Kind.TIMED_OUT, record.subject(), "still runs after " + patience, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          Kind.INTERRUPTED, record.subject(), "the stopping thread was interrupted", e);
    } catch (ExecutionException e) {
      throw new StapesException(Kind.INTERNAL, record.subject(), "its end is unknown", e);
    }
  }

  /** Suspends an instance. */
  public void freeze(InstanceId id) {
    suspend(id, "instance-freeze", "instance-paused", false);
  }

  /** Lets a suspended instance go on. */
  public void unfreeze(InstanceId id) {
    suspend(id, "instance-unfreeze", "instance-resumed", true);
  }

  private void suspend(InstanceId id, String action, String event, boolean frozen) {
    locked(
        action,
        id,
        (record, step) -> {
          Machine machine = machines.require(id).machine();
          boolean stands = machine.isFrozen() || machine.failure().isPresent();
          if (stands != frozen) {
            throw new StapesException(
                Kind.CONFLICT, record.subject(), frozen ? "is not frozen" : "is frozen already");
          }
          if (frozen) {
            machine.unfreeze();
          } else {
            machines.forgetStillness(id);
            machine.freeze();
          }
          work.happened(event, record.subject(), Map.of("id", record.id()));
        });
  }

  /** Deletes an instance with its snapshots. */
  public void delete(InstanceId id, boolean force) {
    locked(
        "instance-delete",
        id,
        (record, step) -> {
          if (record.typedConfig().isTrue(InstanceKeys.PROTECTION_DELETE)) {
            throw new StapesException(
                Kind.DENIED, record.subject(), "security.protection.delete is set");
          }
          Optional<Running> running = machines.find(id);
          if (running.isPresent()) {
            if (!force) {
              throw new StapesException(
                  Kind.BUSY, record.subject(), "is running: stop it, or delete it by force");
            }
            end(record, running.get(), Optional.empty(), true);
          }
          remove(record(id), step);
        });
  }

  /**
   * Deletes an instance that was made to be started at once, and whose start failed: it is
   * protected against nothing yet.
   */
  void takeBack(InstanceId id) {
    try {
      locked("instance-delete", id, this::endAndRemove);
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) { // else somebody has deleted it already
        throw e;
      }
    }
  }

  private void endAndRemove(InstanceRecord record, Work.Step step) {
    machines
        .find(record.instanceId())
        .ifPresent(running -> end(record, running, Optional.empty(), true));
    remove(record(record.instanceId()), step);
  }

  /** Takes an instance out of the store; its volumes and log go behind. With the lock held. */
  void remove(InstanceRecord record, Work.Step step) {
    List<Intent.VolumeRef> volumes = new ArrayList<>();
    volumes.add(Intent.VolumeRef.of(record.pool(), record.volumeId()));
    Catalog.Change change = catalog.change(record.isThrowaway()).remove(record);
    for (SnapshotRecord snapshot : catalog.snapshots(record)) {
      change.remove(snapshot);
      volumes.add(Intent.VolumeRef.of(record.pool(), snapshot.volumeId()));
    }
    if (record.isThrowaway()) {
      step.conclude(change);
      trash.discard(volumes);
    } else {
      trash.discard(step.concludeLeaving(change, volumes), volumes);
      logs.discard(record.instanceId());
    }
    work.happened("instance-deleted", record.subject(), Map.of("id", record.id()));
  }

  /**
   * A machine has ended; called on a thread of the engine, when the instance may long have another
   * one.
   */
  void onExit(Running ended, Machine.Exit exit) {
    InstanceId id = ended.id();
    if (ended.isEndExpected() || catalog.instance(id).isEmpty()) {
      return; // somebody ended it, and cleans up
    }
    try {
      locked(
          "instance-ended",
          id,
          (record, step) -> {
            Optional<Running> running = machines.find(id).filter(ended::isSameMachine);
            if (running.isPresent()) {
              endedByItself(running.get(), record, exit, step);
            }
          });
    } catch (StapesException e) {
      LOG.warn("after the end of {}: {}", id, e.getMessage());
    }
  }

  private void endedByItself(
      Running running, InstanceRecord record, Machine.Exit exit, Work.Step step) {
    over(record, running, true);
    TreeMap<String, String> details =
        new TreeMap<>(Map.of("id", record.id(), "reason", exit.reason()));
    code(exit).ifPresent(code -> details.put("exit_code", code));
    work.happened("instance-stopped", record.subject(), details);
    if (exit.reboot()
        || (record.typedConfig().isTrue(InstanceKeys.BOOT_AUTORESTART)
            && restarts.allow(record.instanceId()))) {
      startLocked(record(record.instanceId()));
    } else if (record.lifetime() != Lifetime.DURABLE) {
      remove(record, step);
    }
  }

  /** Writes down what the machine does, for the next open. */
  private void remember(InstanceRecord record, String power) {
    write(record, record.typedConfig().with(POWER, power).values());
  }

  static InstanceRecord withPower(InstanceRecord record, String power) {
    return record.with(
        record.description(), record.typedConfig().with(POWER, power).values(), record.devices());
  }

  private void write(InstanceRecord record, SortedMap<String, String> config) {
    InstanceRecord now = record.with(record.description(), config, record.devices());
    catalog.change(record.isThrowaway()).put(now).commit();
  }

  /** Whether an instance ran when the store heard of it last. */
  static boolean wasRunning(InstanceRecord record) {
    return "RUNNING".equals(record.config().get(POWER));
  }

  /** Ends and removes all throwaway instances, as the engine closes. */
  void endThrowaways() {
    for (InstanceRecord throwaway : catalog.throwaways()) {
      InstanceId id = throwaway.instanceId();
      try {
        locked("instance-delete", id, this::endAndRemove);
      } catch (StapesException e) {
        LOG.warn("{} is left to the next open: {}", throwaway.subject(), e.getMessage());
      }
    }
  }

  /** The machine of an ephemeral instance ended while nobody was there. */
  void removeEphemeral(InstanceRecord record) {
    locked("instance-delete", record.instanceId(), this::remove);
  }

  /** Waits until something holds that changes only with an event. */
  void awaitStatus(InstanceId id, BooleanSupplier holds, String what, Duration limit) {
    new EventWait(events).until("instance " + id, holds, what, limit);
  }

  /** An operation on one instance, as it is once the lock is held. */
  private void locked(String action, InstanceId id, Change change) {
    work.run(
        action,
        record(id).subject(),
        List.of(Work.lockOf(id)),
        step -> {
          change.make(record(id), step);
          return true;
        });
  }

  private interface Change {
    void make(InstanceRecord record, Work.Step step);
  }

  private InstanceRecord record(InstanceId id) {
    return catalog.require(id).value();
  }
}
