package dev.stapes.linux.cgroup;

/**
 * What {@code limits.memory.swap} says.
 *
 * <p>As in Incus: {@code true} keeps memory and swap together within the memory limit on v1, and on
 * v2, where swap has a limit of its own, allows none; a number is swap on top of the memory limit.
 */
public sealed interface Swap {

  /** {@code true}: what is in swap counts as memory. */
  record Allowed() implements Swap {}

  /** {@code false}: the kernel is not to swap the group's memory out. */
  record Never() implements Swap {}

  /**
   * A size: so much swap on top of the memory.
   *
   * @param bytes at least 0
   */
  record Extra(long bytes) implements Swap {
    /** Checks the size. */
    public Extra {
      if (bytes < 0) {
        throw new IllegalArgumentException("invalid size of swap " + bytes + ": below 0");
      }
    }
  }
}
