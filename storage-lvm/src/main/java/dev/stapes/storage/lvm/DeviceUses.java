package dev.stapes.storage.lvm;

import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Devices that are kept open for who uses them, and are told when their volume has grown. */
final class DeviceUses {
  /** With the names of their volumes. */
  private final Map<Use, String> uses = new HashMap<>();

  /** A device that is kept open, so that it stays. */
  record Use(Path path, Runnable growing, Runnable letGo) {}

  /** One more. Its volume may have grown since it was looked at, when nobody knew of the use. */
  synchronized void begin(Use use, String volume) {
    uses.put(use, volume);
    try {
      use.growing().run();
    } catch (RuntimeException e) {
      Undo.after(e, () -> end(use));
      throw e;
    }
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

  /** Lets one go; does nothing where it is gone. */
  synchronized void end(Use use) {
    if (uses.remove(use) != null) {
      use.letGo().run();
    }
  }

  /** Lets all go; machines keep what they use. */
  synchronized void close() {
    List<Use> all = new ArrayList<>(uses.keySet());
    all.forEach(this::end);
  }
}
