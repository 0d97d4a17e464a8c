package dev.stapes.linux;

/**
 * A range of user or group ids of a namespace and what they are outside; see user_namespaces(7).
 *
 * @param inside the first id in the namespace, 0 to 4294967294
 * @param outside the first id outside, likewise
 * @param count how many, at least 1
 */
public record IdRange(long inside, long outside, long count) {
  private static final long LAST = 0xFFFF_FFFEL;

  /**
   * @throws IllegalArgumentException if the range does not fit
   */
  public IdRange {
    boolean fits = inside >= 0 && outside >= 0 && count >= 1;
    if (!fits || inside + count - 1 > LAST || outside + count - 1 > LAST) {
      throw new IllegalArgumentException(
          "not a range of ids: " + inside + " " + outside + " " + count);
    }
  }

  /** As /proc/pid/uid_map has it. */
  String line() {
    return inside + " " + outside + " " + count + "\n";
  }
}
