package dev.stapes.linux.cgroup;

import java.util.BitSet;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An immutable set of CPUs, or of memory nodes, in the kernel's list format: {@code 0-3,7}.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/cpuset.7.html">cpuset(7), List format</a>
 */
public final class CpuSet {
  /** The set with nothing in it. */
  public static final CpuSet EMPTY = new CpuSet(new BitSet());

  // Linux builds with at most 8192 CPUs; a bound keeps "0-2000000000" from eating the heap.
  static final int MAX_ID = 8191;

  private static final Pattern CHUNK = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

  private final BitSet ids;

  private CpuSet(BitSet ids) {
    this.ids = ids;
  }

  /**
   * Returns the set of these ids.
   *
   * @throws IllegalArgumentException if one is below 0 or above 8191
   */
  public static CpuSet of(int... ids) {
    BitSet bits = new BitSet();
    for (int id : ids) {
      bits.set(checked(id, Integer.toString(id)));
    }
    return new CpuSet(bits);
  }

  /**
   * Returns the set of these ids.
   *
   * @throws IllegalArgumentException if one is below 0 or above 8191
   */
  public static CpuSet of(Collection<Integer> ids) {
    return of(ids.stream().mapToInt(Integer::intValue).toArray());
  }

  /**
   * Parses the kernel's list format. White space around it does not count; an empty list is the
   * empty set.
   *
   * @throws IllegalArgumentException if it is no list, a range runs backwards or an id is above
   *     8191; the message quotes the value
   */
  public static CpuSet parse(String list) {
    return parse(list, false);
  }

  static CpuSet parse(String list, boolean refuseDuplicates) {
    String trimmed = list.strip();
    BitSet bits = new BitSet();
    if (trimmed.isEmpty()) {
      return EMPTY;
    }
    for (String chunk : trimmed.split(",", -1)) {
      Matcher matcher = CHUNK.matcher(chunk);
      if (!matcher.matches()) {
        throw new IllegalArgumentException(
            "invalid CPU list \"" + list + "\": \"" + chunk + "\" is neither a number nor a range");
      }
      int low = checked(Integer.parseInt(matcher.group(1)), list);
      int high = matcher.group(2) == null ? low : checked(Integer.parseInt(matcher.group(2)), list);
      if (high < low) {
        throw new IllegalArgumentException(
            "invalid CPU list \"" + list + "\": the range \"" + chunk + "\" runs backwards");
      }
      int twice = bits.nextSetBit(low);
      if (refuseDuplicates && twice >= 0 && twice <= high) {
        throw new IllegalArgumentException(
            "invalid CPU list \"" + list + "\": " + twice + " is in it twice");
      }
      bits.set(low, high + 1);
    }
    return new CpuSet(bits);
  }

  private static int checked(int id, String value) {
    if (id < 0 || id > MAX_ID) {
      throw new IllegalArgumentException(
          "invalid CPU list \"" + value + "\": " + id + " is not within 0-" + MAX_ID);
    }
    return id;
  }

  /** Returns how many are in it. */
  public int size() {
    return ids.cardinality();
  }

  /** Tells whether nothing is in it. */
  public boolean isEmpty() {
    return ids.isEmpty();
  }

  /** Tells whether {@code id} is in it. */
  public boolean contains(int id) {
    return id >= 0 && ids.get(id);
  }

  /** Tells whether all of {@code other} is in it. */
  public boolean containsAll(CpuSet other) {
    return other.intersection(this).equals(other);
  }

  /** Returns what is in both. */
  public CpuSet intersection(CpuSet other) {
    BitSet bits = (BitSet) ids.clone();
    bits.and(other.ids);
    return new CpuSet(bits);
  }

  /** Returns what is in either. */
  public CpuSet union(CpuSet other) {
    BitSet bits = (BitSet) ids.clone();
    bits.or(other.ids);
    return new CpuSet(bits);
  }

  /** Returns the ids in ascending order. */
  public IntStream stream() {
    return ids.stream();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CpuSet set && set.ids.equals(ids);
  }

  @Override
  public int hashCode() {
    return ids.hashCode();
  }

  /**
   * Returns the kernel's list format, ranges as long as they can be: {@code 0-3,7}; empty for the
   * empty set.
   */
  @Override
  public String toString() {
    StringBuilder list = new StringBuilder();
    for (int low = ids.nextSetBit(0); low >= 0; ) {
      int high = ids.nextClearBit(low) - 1;
      list.append(list.isEmpty() ? "" : ",").append(low);
      if (high > low) {
        list.append('-').append(high);
      }
      low = ids.nextSetBit(high + 1);
    }
    return list.toString();
  }
}
