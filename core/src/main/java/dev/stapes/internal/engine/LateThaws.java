package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Guests whose file systems could not be thawed after a copy: nobody can write in them. They are
 * asked again and again behind everybody, until they do it or their machine is gone. Meanwhile an
 * intent has the next open ask them.
 */
final class LateThaws {
  private static final Logger LOG = LoggerFactory.getLogger(LateThaws.class);

  private final Catalog catalog;
  private final Background background;
  private final Function<InstanceId, Optional<Machine>> machines;
  private final Duration first;
  private final Duration longest;

  /** Each with a lock, which is held while it is asked, and while it is to stay at rest. */
  private final Map<InstanceId, ReentrantLock> late = new ConcurrentHashMap<>();

  private boolean asking;

  /**
   * None yet.
   *
   * @param background has a thread for this alone
   * @param machines that run
   * @param first how long to wait before the first try; each wait is twice as long as that before
   * @param longest of the waits
   */
  LateThaws(
      Catalog catalog,
      Background background,
      Function<InstanceId, Optional<Machine>> machines,
      Duration first,
      Duration longest) {
    this.catalog = catalog;
    this.background = background;
    this.machines = machines;
    this.first = first;
    this.longest = longest;
  }

  /** A guest did not thaw, or was not asked yet; its intent stays. */
  void add(InstanceId id) {
    late.computeIfAbsent(id, any -> new ReentrantLock());
    synchronized (this) {
      if (!asking) {
        asking = true;
        background.execute(this::ask);
      }
    }
  }

  /** Whether one did not thaw when it was asked last. */
  boolean isLate(InstanceId id) {
    return late.containsKey(id);
  }

  /** From now on none is asked: machines are let go of, and those that run seem to be gone. */
  void end() {
    background.endPauses();
  }

  private boolean isAtItsEnd() {
    return !background.pause(Duration.ZERO);
  }

  /**
   * Does something during which nobody thaws an instance.
   *
   * @throws StapesException INTERRUPTED while somebody does; nothing was done then
   */
  void undisturbed(InstanceId id, Runnable body) {
    ReentrantLock lock = late.getOrDefault(id, new ReentrantLock());
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, "instance " + id, "interrupted", e);
    }
    try {
      body.run();
    } finally {
      lock.unlock();
    }
  }

  private void ask() {
    Duration wait = first;
    while (background.pause(wait) && anyIsLate()) {
      wait = wait.multipliedBy(2).compareTo(longest) < 0 ? wait.multipliedBy(2) : longest;
    }
  }

  /** Asks all; false: this has come to its end. */
  private boolean anyIsLate() {
    for (Map.Entry<InstanceId, ReentrantLock> each : late.entrySet()) {
      if (isAtItsEnd()) {
        return false; // each may take its time
      }
      if (each.getValue().tryLock()) { // else it is copied once more
        try {
          ask(each.getKey());
        } finally {
          each.getValue().unlock();
        }
      }
    }
    synchronized (this) {
      asking = !late.isEmpty();
      return asking;
    }
  }

  private void ask(InstanceId id) {
    try {
      if (isThawed(id)) {
        catalog.change(false).removeIntent(IntentNames.atRest(id)).commit();
        late.remove(id);
      }
    } catch (RuntimeException e) { // the others are asked, too
      LOG.info("instance {}: its file systems are still at rest: {}", id, e.toString());
    }
  }

  /** One that is gone has nothing at rest; one that stands still cannot answer. */
  private boolean isThawed(InstanceId id) {
    Optional<Machine> machine = machines.apply(id);
    if (machine.isEmpty()) {
      return !isAtItsEnd();
    }
    if (machine.get().isFrozen() || machine.get().failure().isPresent()) {
      return false;
    }
    Optional<Machine.FileSystems> guest = machine.get().fileSystems();
    guest.ifPresent(Machine.FileSystems::thaw);
    return guest.isPresent();
  }
}
