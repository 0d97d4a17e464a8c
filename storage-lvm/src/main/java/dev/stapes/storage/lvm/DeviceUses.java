package dev.stapes.storage.lvm;

import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/** Devices that are kept open for who uses them, and are told when their volume has grown. */
final class DeviceUses {
  /** With the names of their volumes. */
  private final Map<Use, String> uses = new HashMap<>();

  /** Shared by those who let a device go. */
  private final ReadWriteLock ends = new ReentrantReadWriteLock();

  /** A device that is kept open, so that it stays. */
  record Use(Path path, Runnable growing, Runnable letGo) {}

  /** One more. Its volume may have grown since it was looked at, when nobody knew of the use. */
  void begin(Use use, String volume) {
    try {
      known(use, volume);
    } catch (RuntimeException e) {
      Undo.after(e, () -> end(use));
      throw e;
    }
  }

  private synchronized void known(Use use, String volume) {
    uses.put(use, volume);
    use.growing().run();
  }

  /** Tells all that a volume has grown, also where one of them fails. */
  synchronized void grown(String volume) {
    RuntimeException first = null;
    for (Map.Entry<Use, String> use : uses.entrySet()) {
      if (use.getValue().equals(volume)) {
        first = after(first, use.getKey().growing());
      }
    }
    if (first != null) {
      throw first;
    }
  }

  private static @Nullable RuntimeException after(@Nullable RuntimeException first, Runnable work) {
    try {
      work.run();
      return first;
    } catch (RuntimeException e) {
      if (first == null) {
        return e;
      }
      first.addSuppressed(e);
      return first;
    }
  }

  /**
   * Lets one go; does nothing where it is gone. It is not told of anything from then on, so who
   * waits for a device to go keeps nobody from the others.
   */
  void end(Use use) {
    Lock end = ends.readLock();
    end.lock();
    try {
      if (remove(use)) {
        use.letGo().run();
      }
    } finally {
      end.unlock();
    }
  }

  private synchronized boolean remove(Use use) {
    return uses.remove(use) != null;
  }

  private synchronized List<Use> all() {
    return new ArrayList<>(uses.keySet());
  }

  /** Lets all go, also those that somebody else is letting go; machines keep what they use. */
  void close() {
    RuntimeException first = endAll(null);
    Lock none = ends.writeLock(); // held when the last one has gone that anybody lets go
    none.lock();
    try {
      first = endAll(first); // what came meanwhile
    } finally {
      none.unlock();
    }
    if (first != null) {
      throw first;
    }
  }

  private @Nullable RuntimeException endAll(@Nullable RuntimeException before) {
    RuntimeException first = before;
    for (Use use : all()) {
      first = after(first, () -> end(use));
    }
    return first;
  }
}
