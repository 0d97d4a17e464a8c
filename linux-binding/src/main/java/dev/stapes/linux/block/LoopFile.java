package dev.stapes.linux.block;

import java.util.OptionalLong;

/** A file that is made to hold a pool. */
public final class LoopFile {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;
  private static final long LEAST = 5 * GIB;
  private static final long MOST = 30 * GIB;

  private LoopFile() {}

  /**
   * Its size where nobody says one, in bytes, by Incus's rule: 20 % of what is free, from 5 to 30
   * GiB, and never more than there is.
   *
   * @param available bytes of the file system that it is made in
   * @param least bytes that it must have
   * @return empty where there is no room for that
   */
  public static OptionalLong usualSize(long available, long least) {
    long bounded = Math.min(Math.max(available / 5, LEAST), MOST);
    long size = Math.min(bounded, available);
    return size < least ? OptionalLong.empty() : OptionalLong.of(size & -MIB);
  }
}
