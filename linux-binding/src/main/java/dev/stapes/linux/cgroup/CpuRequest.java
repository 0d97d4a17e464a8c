package dev.stapes.linux.cgroup;

/** What {@code limits.cpu} asks for: a number of CPUs, or certain ones. */
public sealed interface CpuRequest {

  /**
   * So many CPUs, whichever are least loaded.
   *
   * @param count at least 1
   */
  record Count(int count) implements CpuRequest {
    /** Checks the count. */
    public Count {
      if (count < 1) {
        throw new IllegalArgumentException("invalid number of CPUs " + count + ": below 1");
      }
    }

    @Override
    public String toString() {
      return Integer.toString(count);
    }
  }

  /**
   * These CPUs and no others.
   *
   * @param cpus at least one
   */
  record Pinned(CpuSet cpus) implements CpuRequest {
    /** Checks the set. */
    public Pinned {
      if (cpus.isEmpty()) {
        throw new IllegalArgumentException("invalid set of CPUs \"\": it is empty");
      }
    }

    /**
     * Returns the form that parses back to this: a single CPU is {@code 1-1}, for {@code 1} is a
     * count.
     */
    @Override
    public String toString() {
      return cpus.size() == 1 ? cpus + "-" + cpus : cpus.toString();
    }
  }

  /**
   * Parses the forms of Incus: a count {@code 2}, a range {@code 0-3}, a set {@code 0,2}, one
   * pinned CPU {@code 1-1}.
   *
   * @throws IllegalArgumentException if it is none of them, the count is 0, a range runs backwards
   *     or a CPU is named twice; the message quotes the value
   */
  static CpuRequest parse(String value) {
    if (value.matches("[0-9]+")) {
      try {
        return new Count(Integer.parseInt(value));
      } catch (IllegalArgumentException tooSmallOrBig) {
        throw new IllegalArgumentException(
            "invalid number of CPUs \"" + value + "\": not within 1-" + Integer.MAX_VALUE,
            tooSmallOrBig);
      }
    }
    if (value.isEmpty() || !value.equals(value.strip())) {
      throw new IllegalArgumentException(
          "invalid CPUs \"" + value + "\": neither a count nor a list");
    }
    return new Pinned(CpuSet.parse(value, true));
  }
}
