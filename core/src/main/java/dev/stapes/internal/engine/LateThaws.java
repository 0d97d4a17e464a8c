package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
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

  /** What the intent is called that stands for the file systems of an instance at rest. */
  static String intentOf(InstanceId id) {
    return "rest-" + id;
  }

  /** A guest did not thaw; its intent stays. */
  void add(InstanceId id) {
    late.computeIfAbsent(id, any -> new ReentrantLock());
    synchronized (this) {
      if (!asking) {
        asking = true;
        background.execute(this::ask);
      }
    }
  }

  /** Does something during which nobody thaws an instance. */
  void undisturbed(InstanceId id, Runnable body) {
    ReentrantLock lock = late.getOrDefault(id, new ReentrantLock());
    lock.lock();
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
    late.forEach(
        (id, lock) -> {
          if (lock.tryLock()) { // else it is copied once more
            try {
              if (isThawed(id)) {
                catalog.change(false).removeIntent(intentOf(id)).commit();
                late.remove(id);
              }
            } catch (StapesException e) {
              LOG.info("instance {}: its file systems are still at rest: {}", id, e.getMessage());
            } finally {
              lock.unlock();
            }
          }
        });
    synchronized (this) {
      asking = !late.isEmpty();
      return asking;
    }
  }

  /** One that is gone has nothing at rest; one that stands still cannot answer. */
  private boolean isThawed(InstanceId id) {
    Optional<Machine> machine = machines.apply(id);
    if (machine.isEmpty()) {
      return true;
    }
    if (machine.get().isFrozen() || machine.get().failure().isPresent()) {
      return false;
    }
    Optional<Machine.FileSystems> guest = machine.get().fileSystems();
    guest.ifPresent(Machine.FileSystems::thaw);
    return guest.isPresent();
  }
}
