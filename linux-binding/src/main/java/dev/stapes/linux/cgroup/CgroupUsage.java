package dev.stapes.linux.cgroup;

import java.util.Map;
import java.util.OptionalLong;

/**
 * What a group uses, with all groups within. A number is empty where this machine does not tell it;
 * a limit is empty also where there is none.
 *
 * @param cpuNanos CPU time used
 * @param periods periods of the hard quota in which it ran
 * @param throttledPeriods those of them in which it ran out
 * @param throttledNanos the time it then waited
 * @param memoryBytes memory now, page cache included
 * @param memoryPeakBytes the most memory that it had
 * @param memoryLimitBytes its own hard limit; that of a group above may be lower
 * @param swapBytes swap now
 * @param swapLimitBytes swap that it may have on top of its memory
 * @param oomKills processes killed for want of memory
 * @param processes processes and threads now
 * @param processLimit most processes and threads
 * @param io block I/O by device
 */
public record CgroupUsage(
    OptionalLong cpuNanos,
    OptionalLong periods,
    OptionalLong throttledPeriods,
    OptionalLong throttledNanos,
    OptionalLong memoryBytes,
    OptionalLong memoryPeakBytes,
    OptionalLong memoryLimitBytes,
    OptionalLong swapBytes,
    OptionalLong swapLimitBytes,
    OptionalLong oomKills,
    OptionalLong processes,
    OptionalLong processLimit,
    Map<BlockDevice, Io> io) {

  /** Copies. */
  public CgroupUsage {
    io = Map.copyOf(io);
  }

  /**
   * Block I/O since the group was made.
   *
   * @param readBytes bytes read
   * @param writtenBytes bytes written
   * @param reads read operations
   * @param writes write operations
   */
  public record Io(long readBytes, long writtenBytes, long reads, long writes) {}
}
