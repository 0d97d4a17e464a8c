package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * A range of host ids that no other isolated container has, {@code security.idmap.isolated}. As
 * with Incus it lies in the range that all others share: they keep apart from one another, and from
 * root of the others, not from every user of them.
 *
 * @param base first id on the host
 * @param size how many
 */
public record IsolatedIds(long base, long size) {
  /** Refuses an empty range. */
  public IsolatedIds {
    if (base < 1 || size < 1) {
      throw StapesException.invalid("id map", "not a range: " + base + ":" + size);
    }
  }

  /**
   * The first free range. The first 65,536 ids of the machine's, which the users of most containers
   * with the default map have, are left out.
   *
   * @param all what may be given away
   * @param size how many are wanted
   * @param others the isolated ranges of all other containers
   * @throws StapesException EXHAUSTED where no gap is large enough
   */
  public static IsolatedIds firstFree(
      SubordinateIds all, long size, Collection<IsolatedIds> others) {
    if (size < 1) {
      throw StapesException.invalid("security.idmap.size", "must be at least 1: " + size);
    }
    List<IsolatedIds> taken = new ArrayList<>(others);
    taken.sort(Comparator.comparingLong(IsolatedIds::base));
    long candidate = all.base() + SubordinateIds.LEAST;
    for (IsolatedIds other : taken) {
      if (other.base >= candidate + size) {
        break;
      }
      candidate = Math.max(candidate, other.base + other.size);
    }
    if (candidate + size > all.base() + all.count()) {
      throw new StapesException(
          StapesException.Kind.EXHAUSTED,
          "id map",
          "no " + size + " free ids in " + all.base() + ":" + all.count());
    }
    return new IsolatedIds(candidate, size);
  }

  /**
   * The range at a given base, {@code security.idmap.base}; the user takes care of overlaps.
   *
   * @throws StapesException INVALID where it leaves what may be given away
   */
  public static IsolatedIds at(SubordinateIds all, long base, long size) {
    IsolatedIds range = new IsolatedIds(base, size);
    if (base < all.base() || base + size > all.base() + all.count()) {
      throw StapesException.invalid(
          "security.idmap.base",
          "outside of the ids that root may use, "
              + all.base()
              + ":"
              + all.count()
              + ": "
              + base
              + ":"
              + size);
    }
    return range;
  }
}
