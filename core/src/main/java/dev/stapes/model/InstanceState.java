package dev.stapes.model;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a running instance uses, read at the time of the call.
 *
 * @param status what it is doing
 * @param pid its first process as the host sees it; empty: not running
 * @param startedAt empty: not running
 * @param cpu CPU time since it started
 * @param memory memory charged to it; empty where the host does not account it
 * @param memoryPeak the most it ever was; empty where the host does not account it
 * @param swap swap charged to it; empty where the host does not account it
 * @param processes processes and threads; empty where the host does not account them
 * @param oomKills how often the kernel killed one of its processes for memory
 * @param diskUsage data of its root disk; empty where the pool does not account it
 * @param network counters by interface name inside, of a virtual machine by the name of its device;
 *     copied
 */
public record InstanceState(
    InstanceStatus status,
    OptionalLong pid,
    Optional<Instant> startedAt,
    Duration cpu,
    Optional<Size> memory,
    Optional<Size> memoryPeak,
    Optional<Size> swap,
    OptionalLong processes,
    long oomKills,
    Optional<Size> diskUsage,
    SortedMap<String, NetworkCounters> network) {
  /** Copies. */
  public InstanceState {
    network = Collections.unmodifiableSortedMap(new TreeMap<>(network));
  }

  /** Of an instance that does not run. */
  public static InstanceState stopped(InstanceStatus status, Optional<Size> diskUsage) {
    return new InstanceState(
        status,
        OptionalLong.empty(),
        Optional.empty(),
        Duration.ZERO,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalLong.empty(),
        0,
        diskUsage,
        new TreeMap<>());
  }

  /** How long it has been running at a moment; zero where it is not. */
  public Duration uptime(Instant now) {
    return startedAt.map(start -> Duration.between(start, now)).orElse(Duration.ZERO);
  }

  /** The same with the usage of the root disk. */
  public InstanceState withDiskUsage(Optional<Size> usage) {
    return new InstanceState(
        status, pid, startedAt, cpu, memory, memoryPeak, swap, processes, oomKills, usage, network);
  }

  /**
   * Counters of an interface since it was made.
   *
   * @param receivedBytes by the instance
   * @param receivedPackets by the instance
   * @param sentBytes by the instance
   * @param sentPackets by the instance
   */
  public record NetworkCounters(
      long receivedBytes, long receivedPackets, long sentBytes, long sentPackets) {}
}
