package dev.stapes.linux.cgroup;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Limits of a group, independent of the cgroup version. What is null or empty is left as it is;
 * what is to be put back to the kernel's default stands in {@code cleared}.
 *
 * @param cpus the CPUs it may run on, not empty
 * @param memoryNodes the memory nodes it may allocate from, not empty
 * @param cpu its CPU time
 * @param memoryHard bytes that it never gets more of, at least 0
 * @param memorySoft bytes that it is pressed back to when memory is short, at least 0
 * @param swap what becomes of swap; null beside {@code memoryHard} is {@link Swap.Allowed}, but
 *     without complaint where the kernel does not account for swap. {@link Swap.Extra} needs {@code
 *     memoryHard}
 * @param swappiness 0 to 100; cgroup v1 alone has it
 * @param processes number of processes and threads, at least 0
 * @param ioWeight 10 to 1000, 100 is what everybody has
 * @param ioThrottles at most one for each device
 * @param hugePages bytes by page size as the kernel names it: {@code 64KB}, {@code 1MB}, {@code
 *     2MB}, {@code 1GB}
 * @param devices rules in the order in which they apply; they add to what the group has
 * @param cleared what to put back to the kernel's default; what is also set is set, and of
 *     throttles and huge pages the devices and sizes that are not set are cleared
 */
public record CgroupLimits(
    @Nullable CpuSet cpus,
    @Nullable CpuSet memoryNodes,
    @Nullable CpuAllowance cpu,
    @Nullable Long memoryHard,
    @Nullable Long memorySoft,
    @Nullable Swap swap,
    @Nullable Integer swappiness,
    @Nullable Long processes,
    @Nullable Integer ioWeight,
    List<IoThrottle> ioThrottles,
    Map<String, Long> hugePages,
    List<DeviceRule> devices,
    Set<Limit> cleared) {

  private static final Pattern PAGE_SIZE = Pattern.compile("[1-9][0-9]{0,5}[KMG]B");

  /** Checks the ranges and copies. */
  public CgroupLimits {
    require(cpus == null || !cpus.isEmpty(), "CPUs \"\": it is empty");
    require(memoryNodes == null || !memoryNodes.isEmpty(), "memory nodes \"\": it is empty");
    atLeast("memory limit", memoryHard, 0);
    atLeast("soft memory limit", memorySoft, 0);
    atLeast("limit of processes", processes, 0);
    require(
        !(swap instanceof Swap.Extra) || memoryHard != null,
        "swap limit " + swap + ": it needs a hard memory limit to add to");
    require(
        swappiness == null || (swappiness >= 0 && swappiness <= 100),
        "swappiness " + swappiness + ": not within 0-100");
    require(
        ioWeight == null || (ioWeight >= 10 && ioWeight <= 1000),
        "I/O weight " + ioWeight + ": not within 10-1000");
    require(
        ioThrottles.stream().map(IoThrottle::device).distinct().count() == ioThrottles.size(),
        "I/O limits " + ioThrottles + ": a device is named twice");
    hugePages.forEach(
        (size, bytes) -> {
          require(PAGE_SIZE.matcher(size).matches(), "huge page size \"" + size + "\"");
          atLeast("limit of " + size + " pages", bytes, 0);
        });
    ioThrottles = List.copyOf(ioThrottles);
    hugePages = Collections.unmodifiableMap(new TreeMap<>(hugePages));
    devices = List.copyOf(devices);
    EnumSet<Limit> copy = EnumSet.noneOf(Limit.class);
    copy.addAll(cleared);
    cleared = Collections.unmodifiableSet(copy);
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException("invalid " + what);
    }
  }

  private static void atLeast(String what, @Nullable Long value, long least) {
    require(value == null || value >= least, what + " " + value + ": below " + least);
  }

  /** Starts a set of limits that limits nothing. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the limits to apply to a running group that has {@code previous} and is to have this:
   * the same as this, and what {@code previous} limited and this does not is cleared. Device rules
   * have no such difference: they are those of this.
   */
  public CgroupLimits replacing(CgroupLimits previous) {
    EnumSet<Limit> gone = EnumSet.noneOf(Limit.class);
    gone.addAll(previous.named());
    gone.remove(Limit.DEVICES);
    gone.addAll(cleared);
    gone.removeAll(named());
    if (previous.cpu != null && cpu == null) {
      gone.add(Limit.CPU_QUOTA);
    }
    if (cleared.contains(Limit.HUGE_PAGES)
        || !hugePages.keySet().containsAll(previous.hugePages.keySet())) {
      gone.add(Limit.HUGE_PAGES);
    }
    List<IoThrottle> throttles = new ArrayList<>(ioThrottles);
    for (IoThrottle old : previous.ioThrottles) {
      if (ioThrottles.stream().noneMatch(now -> now.device().equals(old.device()))) {
        throttles.add(IoThrottle.unlimited(old.device()));
      }
    }
    gone.remove(Limit.IO_THROTTLE);
    if (cleared.contains(Limit.IO_THROTTLE)) {
      gone.add(Limit.IO_THROTTLE);
    }
    return new CgroupLimits(
        cpus,
        memoryNodes,
        cpu,
        memoryHard,
        memorySoft,
        swap,
        swappiness,
        processes,
        ioWeight,
        throttles,
        hugePages,
        devices,
        gone);
  }

  /** Returns the limits that this sets, without those it clears. */
  public Set<Limit> named() {
    EnumSet<Limit> named = EnumSet.noneOf(Limit.class);
    addIf(named, Limit.CPUS, cpus != null);
    addIf(named, Limit.MEMORY_NODES, memoryNodes != null);
    addIf(named, Limit.CPU_SHARE, cpu != null);
    addIf(named, Limit.CPU_QUOTA, cpu != null && cpu.quota() != null);
    addIf(named, Limit.MEMORY_HARD, memoryHard != null);
    addIf(named, Limit.MEMORY_SOFT, memorySoft != null);
    addIf(named, Limit.SWAP, swap != null);
    addIf(named, Limit.SWAPPINESS, swappiness != null);
    addIf(named, Limit.PROCESSES, processes != null);
    addIf(named, Limit.IO_WEIGHT, ioWeight != null);
    addIf(named, Limit.IO_THROTTLE, !ioThrottles.isEmpty());
    addIf(named, Limit.HUGE_PAGES, !hugePages.isEmpty());
    addIf(named, Limit.DEVICES, !devices.isEmpty());
    return named;
  }

  private static void addIf(Set<Limit> set, Limit limit, boolean there) {
    if (there) {
      set.add(limit);
    }
  }

  /** Tells whether a limit of one value is to be put back. */
  boolean clears(Limit limit) {
    return cleared.contains(limit) && !named().contains(limit);
  }

  /** Collects limits; {@link #build()} checks them. */
  public static final class Builder {
    private @Nullable CpuSet cpus;
    private @Nullable CpuSet memoryNodes;
    private @Nullable CpuAllowance cpu;
    private @Nullable Long memoryHard;
    private @Nullable Long memorySoft;
    private @Nullable Swap swap;
    private @Nullable Integer swappiness;
    private @Nullable Long processes;
    private @Nullable Integer ioWeight;
    private final List<IoThrottle> ioThrottles = new ArrayList<>();
    private final Map<String, Long> hugePages = new TreeMap<>();
    private final List<DeviceRule> devices = new ArrayList<>();
    private final EnumSet<Limit> cleared = EnumSet.noneOf(Limit.class);

    private Builder() {}

    /** The CPUs that the group may run on. */
    public Builder cpus(CpuSet cpus) {
      this.cpus = cpus;
      return this;
    }

    /** The memory nodes that the group may allocate from. */
    public Builder memoryNodes(CpuSet nodes) {
      this.memoryNodes = nodes;
      return this;
    }

    /** CPU time: the share, and the hard quota or its absence. */
    public Builder cpu(CpuAllowance allowance) {
      this.cpu = allowance;
      return this;
    }

    /**
     * {@code limits.memory} with {@code limits.memory.enforce=hard}: bytes; clears the soft limit.
     */
    public Builder memoryHard(long bytes) {
      this.memoryHard = bytes;
      cleared.add(Limit.MEMORY_SOFT);
      return this;
    }

    /**
     * {@code limits.memory} with {@code limits.memory.enforce=soft}: bytes; clears the hard limit.
     */
    public Builder memorySoft(long bytes) {
      this.memorySoft = bytes;
      cleared.add(Limit.MEMORY_HARD);
      return this;
    }

    /** {@code limits.memory.swap}. */
    public Builder swap(Swap swap) {
      this.swap = swap;
      return this;
    }

    /**
     * {@code limits.memory.swap.priority}: 0 to 10, where 10 is the kernel's usual swappiness of 60
     * and 0 swaps more readily, 70.
     */
    public Builder swapPriority(int priority) {
      this.swappiness = 70 - checkedPriority("swap priority", priority);
      return this;
    }

    /** {@code limits.processes}. */
    public Builder processes(long count) {
      this.processes = count;
      return this;
    }

    /** {@code limits.disk.priority}: 0 to 10. */
    public Builder ioPriority(int priority) {
      this.ioWeight = Math.max(10, 100 * checkedPriority("disk priority", priority));
      return this;
    }

    /** Adds the I/O limits of a device. */
    public Builder ioThrottle(IoThrottle throttle) {
      ioThrottles.add(throttle);
      return this;
    }

    /** {@code limits.hugepages.*}: bytes of pages of a size such as {@code 2MB}. */
    public Builder hugePages(String pageSize, long bytes) {
      hugePages.put(pageSize, bytes);
      return this;
    }

    /** Adds device rules. */
    public Builder devices(Collection<DeviceRule> rules) {
      devices.addAll(rules);
      return this;
    }

    /** Puts limits back to the kernel's default; setting one too wins over clearing it. */
    public Builder clear(Limit... limits) {
      Collections.addAll(cleared, limits);
      return this;
    }

    private static int checkedPriority(String what, int priority) {
      require(priority >= 0 && priority <= 10, what + " " + priority + ": not within 0-10");
      return priority;
    }

    /**
     * Builds.
     *
     * @throws IllegalArgumentException if a value is out of range; the message has the value in it
     */
    public CgroupLimits build() {
      return new CgroupLimits(
          cpus,
          memoryNodes,
          cpu,
          memoryHard,
          memorySoft,
          swap,
          swappiness,
          processes,
          ioWeight,
          ioThrottles,
          hugePages,
          devices,
          cleared);
    }
  }
}
