package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logical volumes whose devices may be there, also by a JVM that was killed. They stay until the
 * pool is closed; where other machines share the pool they go with their last use, since one
 * machine alone can have one.
 */
final class ActiveVolumes {
  private static final Logger LOG = LoggerFactory.getLogger(ActiveVolumes.class);

  private final String subject;
  private final PoolVolumes volumes;
  private final Set<String> names = ConcurrentHashMap.newKeySet();

  /** Of the names: taken while LVM works on one, which keeps nobody from the others. */
  private final Turns turns;

  /** How many hold one; its monitor guards what follows, too, and is held for moments alone. */
  private final Map<String, Integer> holders = new HashMap<>();

  /** Those that are being made. */
  private final Set<String> young = new HashSet<>();

  private boolean closed;

  /**
   * Of a pool.
   *
   * @param found those that are active already
   */
  ActiveVolumes(String subject, PoolVolumes volumes, Collection<String> found) {
    this.subject = subject;
    this.volumes = volumes;
    this.turns = new Turns(subject);
    names.addAll(found);
  }

  private void activate(String name) {
    if (!names.contains(name)) {
      volumes.activate(name);
      names.add(name);
    }
  }

  /**
   * Makes the device of a volume appear; {@link #release} ends this.
   *
   * @throws StapesException BUSY where another machine has it, or has taken it over meanwhile
   */
  void use(ThinVolume volume) {
    String name = volume.name();
    if (!volumes.isShared()) {
      activate(name);
      return;
    }
    turns.take(
        name,
        () -> {
          boolean held = isHeld(name);
          hold(name);
          try {
            if (!held) {
              requireWhole(volume);
            }
          } catch (RuntimeException e) {
            Undo.after(e, () -> letGo(name));
            throw e;
          }
        });
  }

  private boolean isHeld(String name) {
    synchronized (holders) {
      return holders.containsKey(name) || young.contains(name);
    }
  }

  /** From now on no other machine changes it. */
  private void requireWhole(ThinVolume volume) {
    if (!volumes.isWhole(volume.name())) {
      throw new StapesException(
          Kind.BUSY, volume.subject(), "another machine has taken it over just now");
    }
  }

  /** Does something with a volume, which no other machine that shares the pool has meanwhile. */
  void alone(ThinVolume volume, Runnable work) {
    if (!volumes.isShared()) {
      work.run();
      return;
    }
    use(volume);
    try {
      work.run();
    } finally {
      release(volume.name());
    }
  }

  /** Makes the device appear of what is no volume, or of one that is used already. */
  void use(String name) {
    if (volumes.isShared()) {
      hold(name);
    } else {
      activate(name);
    }
  }

  /** Ends a use. */
  void release(String name) {
    if (volumes.isShared()) {
      letGo(name);
    }
  }

  /** One is about to be made with its device, which stays until it is {@link #made}, or gone. */
  void comes(String name) {
    names.add(name);
    if (volumes.isShared()) {
      synchronized (holders) {
        young.add(name);
      }
    }
  }

  /** Nothing more is done to one that is new. */
  void made(String name) {
    if (volumes.isShared()) {
      turns.take(
          name,
          () -> {
            if (growsUp(name) && isIdle(name)) {
              deactivate(name);
            }
          });
    }
  }

  private boolean growsUp(String name) {
    synchronized (holders) {
      return young.remove(name);
    }
  }

  /** Some were removed. */
  void gone(Collection<String> removed) {
    removed.forEach(names::remove);
    if (volumes.isShared()) {
      synchronized (holders) {
        removed.forEach(young::remove);
      }
    }
  }

  /** Makes those go that were in use, by machines for instance, when nobody else needed them. */
  void tidy() {
    if (volumes.isShared()) {
      for (String name : List.copyOf(names)) {
        turns.take(
            name,
            () -> {
              if (isIdle(name)) {
                deactivate(name);
              }
            });
      }
    }
  }

  /**
   * Makes all go that machines share; those that somebody uses stay. Who uses one that has gone
   * makes it appear again.
   */
  void letAllGo() {
    if (volumes.isShared()) {
      for (String name : List.copyOf(names)) {
        turns.take(name, () -> deactivate(name));
      }
    }
  }

  /** Makes the device of one appear, which stays until all who did this let it go. */
  void hold(String name) {
    turns.take(
        name,
        () -> {
          activate(name);
          synchronized (holders) {
            holders.merge(name, 1, Integer::sum);
          }
        });
  }

  /** Makes the device of one go; one that somebody uses stays until the pool is closed. */
  void letGo(String name) {
    turns.take(
        name,
        () -> {
          if (!endsOneOfMore(name) && (!volumes.isShared() || isIdle(name))) {
            deactivate(name);
          }
        });
  }

  private boolean endsOneOfMore(String name) {
    synchronized (holders) {
      return holders.computeIfPresent(name, (of, n) -> n == 1 ? null : n - 1) != null;
    }
  }

  private boolean isIdle(String name) {
    synchronized (holders) {
      return !closed && names.contains(name) && !young.contains(name) && !holders.containsKey(name);
    }
  }

  private void deactivate(String name) {
    boolean interrupted = volumes.isShared() && Thread.interrupted(); // others wait for it
    try {
      volumes.deactivate(List.of(name));
      names.remove(name);
    } catch (StapesException e) {
      LOG.debug("{}: {} stays active", subject, name, e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Makes all go, and that of the one with the mark; those that somebody uses stay. */
  void close() {
    List<String> all;
    synchronized (holders) {
      closed = true;
      all = new ArrayList<>(names);
    }
    if (!volumes.isShared()) {
      all.add(volumes.name());
    }
    for (int i = 0; i < all.size(); i += PoolVolumes.MOST_AT_ONCE) {
      try {
        volumes.deactivate(all.subList(i, Math.min(i + PoolVolumes.MOST_AT_ONCE, all.size())));
      } catch (StapesException e) {
        LOG.info("{}: some devices stay: {}", subject, e.getMessage(), e);
      }
    }
  }
}
