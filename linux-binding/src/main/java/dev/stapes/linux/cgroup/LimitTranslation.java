package dev.stapes.linux.cgroup;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns limits into the files of one group. Reads through its view only, writes nothing. */
final class LimitTranslation {
  private static final String[] V1_THROTTLES = {
    "blkio.throttle.read_bps_device",
    "blkio.throttle.write_bps_device",
    "blkio.throttle.read_iops_device",
    "blkio.throttle.write_iops_device"
  };

  // Those that limits.hugepages.* can name.
  private static final List<String> PAGE_SIZES = List.of("64KB", "1MB", "2MB", "1GB");

  private final GroupView view;
  private final CgroupLimits limits;
  private final List<Setting> settings = new ArrayList<>();
  private final List<UnsupportedLimit> unsupported = new ArrayList<>();

  private LimitTranslation(GroupView view, CgroupLimits limits) {
    this.view = view;
    this.limits = limits;
  }

  static LimitPlan translate(GroupView view, CgroupLimits limits) {
    LimitTranslation translation = new LimitTranslation(view, limits);
    translation.cpuset(Limit.CPUS, "cpuset.cpus", limits.cpus());
    translation.cpuset(Limit.MEMORY_NODES, "cpuset.mems", limits.memoryNodes());
    translation.cpuShare();
    translation.cpuQuota();
    MemoryTranslation.translate(view, limits, translation);
    translation.processes();
    translation.ioWeight();
    translation.ioThrottles();
    translation.hugePages();
    translation.devices();
    return new LimitPlan(translation.settings, translation.unsupported);
  }

  /** Returns the hierarchy for a limit that is set; if there is none, that is noted. */
  Optional<Hierarchy> needed(Limit limit) {
    GroupView.Place place = view.place(limit);
    if (place.hierarchy().isEmpty()) {
      refuse(limit, place.why());
    }
    return place.hierarchy();
  }

  /**
   * Returns the hierarchy for a limit that is cleared: where there is no controller, nothing is
   * limited.
   */
  private Optional<Hierarchy> where(Limit limit, boolean set) {
    if (set) {
      return needed(limit);
    }
    return limits.clears(limit) && view.running()
        ? view.place(limit).hierarchy()
        : Optional.empty();
  }

  void refuse(Limit limit, String why) {
    unsupported.add(new UnsupportedLimit(limit, limit.controller(), why));
  }

  /** Adds a setting, or notes that the file it needs is missing. */
  void put(Limit limit, Hierarchy hierarchy, String file, String value) {
    if (view.has(hierarchy, file)) {
      settings.add(view.setting(limit, hierarchy, file, value));
    } else {
      refuse(limit, "the kernel has no " + file + " here");
    }
  }

  void putIfThere(Limit limit, Hierarchy hierarchy, String file, String value) {
    if (view.has(hierarchy, file)) {
      settings.add(view.setting(limit, hierarchy, file, value));
    }
  }

  private void cpuset(Limit limit, String file, @Nullable CpuSet set) {
    Optional<Hierarchy> place = where(limit, set != null);
    if (place.isEmpty()) {
      return;
    }
    Hierarchy hierarchy = place.get();
    if (hierarchy.isV2()) {
      // An empty list means: whatever the parent has.
      put(limit, hierarchy, file, set == null ? "\n" : set.toString());
    } else if (!view.running()) {
      put(limit, hierarchy, file, String.valueOf(set));
    } else if (!view.has(hierarchy, file)) {
      put(limit, hierarchy, file, "");
    } else {
      CpuSet wanted = set != null ? set : CpuSet.parse(view.readParent(hierarchy, file).orElse(""));
      settings.addAll(CpusetTree.settings(view, limit, hierarchy, file, wanted));
    }
  }

  private void cpuShare() {
    CpuAllowance wanted = limits.cpu();
    CpuAllowance cpu = wanted == null ? CpuAllowance.DEFAULT : wanted;
    if (cpu.weight() == 100 && cpu.shares() == 1024) {
      // What everybody has needs no controller.
      if (view.running() && (wanted != null || limits.clears(Limit.CPU_SHARE))) {
        view.place(Limit.CPU_SHARE).hierarchy().ifPresent(hierarchy -> cpuShare(hierarchy, cpu));
      }
    } else {
      needed(Limit.CPU_SHARE).ifPresent(hierarchy -> cpuShare(hierarchy, cpu));
    }
  }

  private void cpuShare(Hierarchy hierarchy, CpuAllowance cpu) {
    if (hierarchy.isV2()) {
      put(Limit.CPU_SHARE, hierarchy, "cpu.weight", Integer.toString(cpu.weight()));
    } else {
      put(Limit.CPU_SHARE, hierarchy, "cpu.shares", Integer.toString(cpu.shares()));
    }
  }

  private void cpuQuota() {
    CpuAllowance cpu = limits.cpu();
    CpuAllowance.Quota quota = cpu == null ? null : cpu.quota();
    if (quota == null && cpu != null && view.running()) {
      // An allowance without a quota is the statement that there is none.
      view.place(Limit.CPU_QUOTA).hierarchy().ifPresent(this::clearQuota);
      return;
    }
    Optional<Hierarchy> place = where(Limit.CPU_QUOTA, quota != null);
    if (place.isEmpty()) {
      return;
    }
    if (quota == null) {
      clearQuota(place.get());
    } else if (place.get().isV2()) {
      String value = quota.timeMicros() + " " + quota.periodMicros();
      put(Limit.CPU_QUOTA, place.get(), "cpu.max", value);
    } else {
      String period = Long.toString(quota.periodMicros());
      put(Limit.CPU_QUOTA, place.get(), "cpu.cfs_period_us", period);
      putIfThere(
          Limit.CPU_QUOTA, place.get(), "cpu.cfs_quota_us", Long.toString(quota.timeMicros()));
    }
  }

  private void clearQuota(Hierarchy hierarchy) {
    if (hierarchy.isV2()) {
      putIfThere(Limit.CPU_QUOTA, hierarchy, "cpu.max", "max 100000");
    } else {
      putIfThere(Limit.CPU_QUOTA, hierarchy, "cpu.cfs_quota_us", "-1");
      putIfThere(Limit.CPU_QUOTA, hierarchy, "cpu.cfs_period_us", "100000");
    }
  }

  private void processes() {
    Long count = limits.processes();
    where(Limit.PROCESSES, count != null)
        .ifPresent(
            hierarchy ->
                put(
                    Limit.PROCESSES,
                    hierarchy,
                    "pids.max",
                    count == null ? "max" : count.toString()));
  }

  private void ioWeight() {
    Integer weight = limits.ioWeight();
    Optional<Hierarchy> place = where(Limit.IO_WEIGHT, weight != null);
    if (place.isEmpty()) {
      return;
    }
    Hierarchy hierarchy = place.get();
    String plain = hierarchy.isV2() ? "io.weight" : "blkio.weight";
    String bfq = hierarchy.isV2() ? "io.bfq.weight" : "blkio.bfq.weight";
    String file = view.has(hierarchy, plain) ? plain : bfq;
    if (weight != null) {
      if (view.has(hierarchy, file)) {
        put(Limit.IO_WEIGHT, hierarchy, file, weight.toString());
      } else {
        refuse(Limit.IO_WEIGHT, "the kernel has neither " + plain + " nor " + bfq);
      }
    } else {
      // CFQ, whose file blkio.weight was, started everybody at 500; its successors do at 100.
      String usual = file.equals("blkio.weight") ? "500" : "100";
      putIfThere(Limit.IO_WEIGHT, hierarchy, file, usual);
    }
  }

  private void ioThrottles() {
    boolean set = !limits.ioThrottles().isEmpty();
    boolean clear = limits.cleared().contains(Limit.IO_THROTTLE) && view.running();
    Optional<Hierarchy> place =
        set
            ? needed(Limit.IO_THROTTLE)
            : clear ? view.place(Limit.IO_THROTTLE).hierarchy() : Optional.empty();
    if (place.isEmpty()) {
      return;
    }
    Hierarchy hierarchy = place.get();
    List<IoThrottle> all = new ArrayList<>(limits.ioThrottles());
    if (clear) {
      Set<BlockDevice> stale = throttled(hierarchy);
      all.forEach(throttle -> stale.remove(throttle.device()));
      stale.forEach(device -> all.add(IoThrottle.unlimited(device)));
    }
    for (IoThrottle throttle : all) {
      if (hierarchy.isV2()) {
        throttleV2(hierarchy, throttle);
      } else {
        throttleV1(hierarchy, throttle);
      }
    }
  }

  private Set<BlockDevice> throttled(Hierarchy hierarchy) {
    Set<BlockDevice> devices = new LinkedHashSet<>();
    List<String> files = hierarchy.isV2() ? List.of("io.max") : List.of(V1_THROTTLES);
    for (String file : files) {
      for (String line : view.read(hierarchy, file).orElse("").split("\n")) {
        if (!line.isBlank()) {
          devices.add(BlockDevice.parse(line.substring(0, line.indexOf(' '))));
        }
      }
    }
    return devices;
  }

  private void throttleV2(Hierarchy hierarchy, IoThrottle throttle) {
    String value =
        throttle.device()
            + (" rbps=" + max(throttle.readBytes()))
            + (" wbps=" + max(throttle.writeBytes()))
            + (" riops=" + max(throttle.readOperations()))
            + (" wiops=" + max(throttle.writeOperations()));
    put(Limit.IO_THROTTLE, hierarchy, "io.max", value);
  }

  private static String max(@Nullable Long value) {
    return value == null ? "max" : value.toString();
  }

  private void throttleV1(Hierarchy hierarchy, IoThrottle throttle) {
    @Nullable Long[] values = {
      throttle.readBytes(),
      throttle.writeBytes(),
      throttle.readOperations(),
      throttle.writeOperations()
    };
    for (int i = 0; i < values.length; i++) {
      Long value = values[i];
      if (value != null || view.running()) {
        put(
            Limit.IO_THROTTLE,
            hierarchy,
            V1_THROTTLES[i],
            throttle.device() + " " + (value == null ? 0 : value));
      }
    }
  }

  private void hugePages() {
    boolean clear = limits.cleared().contains(Limit.HUGE_PAGES) && view.running();
    Map<String, Long> wanted = limits.hugePages();
    Optional<Hierarchy> place =
        !wanted.isEmpty()
            ? needed(Limit.HUGE_PAGES)
            : clear ? view.place(Limit.HUGE_PAGES).hierarchy() : Optional.empty();
    if (place.isEmpty()) {
      return;
    }
    Hierarchy hierarchy = place.get();
    wanted.forEach((size, bytes) -> hugePages(hierarchy, size, Long.toString(bytes)));
    for (String size : PAGE_SIZES) {
      if (clear
          && !wanted.containsKey(size)
          && view.has(hierarchy, hugePagesFile(hierarchy, size, ""))) {
        hugePages(hierarchy, size, hierarchy.isV2() ? "max" : "-1");
      }
    }
  }

  private void hugePages(Hierarchy hierarchy, String size, String value) {
    put(Limit.HUGE_PAGES, hierarchy, hugePagesFile(hierarchy, size, ""), value);
    // Reservations of a mapping count apart, where the kernel counts them.
    putIfThere(Limit.HUGE_PAGES, hierarchy, hugePagesFile(hierarchy, size, ".rsvd"), value);
  }

  private static String hugePagesFile(Hierarchy hierarchy, String size, String kind) {
    return "hugetlb." + size + kind + (hierarchy.isV2() ? ".max" : ".limit_in_bytes");
  }

  private void devices() {
    Optional<Hierarchy> place = where(Limit.DEVICES, !limits.devices().isEmpty());
    if (place.isEmpty()) {
      return;
    }
    if (limits.devices().isEmpty()) {
      putIfThere(Limit.DEVICES, place.get(), "devices.allow", "a");
    }
    for (DeviceRule rule : limits.devices()) {
      put(Limit.DEVICES, place.get(), rule.file(), rule.value());
    }
  }
}
