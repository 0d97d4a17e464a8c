package dev.stapes.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * The uid and gid maps of a user namespace (user_namespaces(7)).
 *
 * @param uids ordered by {@code inside}, without overlap inside or outside; copied
 * @param gids likewise
 */
public record IdMapping(List<Range> uids, List<Range> gids) {

  /**
   * One line of a map.
   *
   * @param inside first id in the namespace, 0 to 2^32 - 2
   * @param outside first id on the host, 0 to 2^32 - 2
   * @param count how many, at least 1
   */
  public record Range(long inside, long outside, long count) {
    private static final long LIMIT = 0xFFFF_FFFFL; // (uid_t) -1 is no id

    /** Refuses ranges that leave the 32-bit ids. */
    public Range {
      if (inside < 0
          || outside < 0
          || count < 1
          || inside + count > LIMIT
          || outside + count > LIMIT) {
        throw StapesException.invalid(
            "id range", "out of the 32-bit ids: " + inside + " " + outside + " " + count);
      }
    }
  }

  /** Sorts, copies and refuses overlaps. */
  public IdMapping {
    uids = checked(uids);
    gids = checked(gids);
  }

  /** Ids 0 to {@code count - 1} inside are {@code base} and up on the host, uids and gids alike. */
  public static IdMapping of(long base, long count) {
    List<Range> ranges = List.of(new Range(0, base, count));
    return new IdMapping(ranges, ranges);
  }

  /** The host's uid of a uid in the namespace, or empty where it is not mapped. */
  public OptionalLong hostUid(long uid) {
    return map(uids, uid);
  }

  /** The host's gid of a gid in the namespace, or empty where it is not mapped. */
  public OptionalLong hostGid(long gid) {
    return map(gids, gid);
  }

  private static OptionalLong map(List<Range> ranges, long id) {
    for (Range range : ranges) {
      if (id >= range.inside && id < range.inside + range.count) {
        return OptionalLong.of(id - range.inside + range.outside);
      }
    }
    return OptionalLong.empty();
  }

  private static List<Range> checked(List<Range> ranges) {
    List<Range> sorted = new ArrayList<>(ranges);
    sorted.sort(Comparator.comparingLong(Range::outside));
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i - 1).outside + sorted.get(i - 1).count > sorted.get(i).outside) {
        throw StapesException.invalid("id map", "host ranges overlap: " + ranges);
      }
    }
    sorted.sort(Comparator.comparingLong(Range::inside));
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i - 1).inside + sorted.get(i - 1).count > sorted.get(i).inside) {
        throw StapesException.invalid("id map", "inner ranges overlap: " + ranges);
      }
    }
    return List.copyOf(sorted);
  }
}
