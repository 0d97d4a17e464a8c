package dev.stapes.storage.zfs;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Which zvols somebody has the device of, although he may not have opened it yet. */
final class BlockUses {
  private final List<Use> uses = new ArrayList<>();

  /** One of them. */
  static final class Use {
    private Place place;
    private Runnable growing = () -> {};

    private Use(Place place) {
      this.place = place;
    }
  }

  /** Says that somebody uses a zvol. */
  synchronized Use begin(Place zvol) {
    Use use = new Use(zvol);
    uses.add(use);
    return use;
  }

  /** Says that he does no more. */
  synchronized void end(Use use) {
    uses.remove(use);
  }

  /** Says that a zvol has another name; its device is the same. */
  synchronized void moved(Place from, Place to) {
    uses.stream().filter(use -> use.place.equals(from)).forEach(use -> use.place = to);
  }

  /** Where it is now. */
  synchronized Place place(Use use) {
    return use.place;
  }

  /**
   * Says what is to be done when its zvol has grown, and does it: it may have grown before that was
   * said.
   */
  synchronized void growing(Use use, Runnable work) {
    use.growing = work;
    work.run();
  }

  /**
   * Says that a zvol has grown, to all that use it, also where one of them fails; nothing is done
   * any more for a use that has ended.
   */
  synchronized void grown(Place zvol) {
    List<RuntimeException> failures = new ArrayList<>();
    for (Use use : uses) {
      if (use.place.equals(zvol)) {
        try {
          use.growing.run();
        } catch (RuntimeException e) {
          failures.add(e);
        }
      }
    }
    if (!failures.isEmpty()) {
      RuntimeException first = failures.get(0);
      failures.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
  }

  /** Those in use. */
  synchronized Set<Place> inUse() {
    return uses.stream().map(use -> use.place).collect(Collectors.toSet());
  }
}
