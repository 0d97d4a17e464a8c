package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.CpuAllowance;
import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.linux.cgroup.IoThrottle;
import dev.stapes.linux.cgroup.Limit;
import dev.stapes.linux.cgroup.Swap;
import dev.stapes.model.Config;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.util.Collection;
import java.util.Optional;

/** The limits of an instance's config, for its cgroup. */
final class LimitReader {
  private LimitReader() {}

  /** What {@code limits.cpu} asks for. */
  static Optional<CpuRequest> cpus(Config config) {
    return config
        .get(InstanceKeys.LIMITS_CPU)
        .map(text -> checked("limits.cpu", () -> CpuRequest.parse(text)));
  }

  /**
   * The limits.
   *
   * @param cpus chosen for it; empty: all
   * @param memory of the host, for percentages
   * @param throttles of the devices that its disks are on
   */
  static CgroupLimits read(
      Config config, Optional<CpuSet> cpus, Size memory, Collection<IoThrottle> throttles) {
    CgroupLimits.Builder limits = CgroupLimits.builder();
    cpus.ifPresent(limits::cpus);
    config
        .get(InstanceKeys.LIMITS_CPU_NODES)
        .ifPresent(
            text -> limits.memoryNodes(checked("limits.cpu.nodes", () -> CpuSet.parse(text))));
    cpuTime(config, limits);
    memory(config, memory, limits);
    config.get(InstanceKeys.LIMITS_PROCESSES).ifPresent(limits::processes);
    if (config.text(InstanceKeys.LIMITS_DISK_PRIORITY.name()).isPresent()) {
      config
          .get(InstanceKeys.LIMITS_DISK_PRIORITY)
          .ifPresent(priority -> limits.ioPriority(priority.intValue()));
    }
    throttles.forEach(limits::ioThrottle);
    // Which devices a JVM before this one throttled, the kernel alone knows.
    limits.clear(Limit.IO_THROTTLE);
    return checked("limits.memory.swap", limits::build);
  }

  private static void cpuTime(Config config, CgroupLimits.Builder limits) {
    Optional<String> allowance = config.text(InstanceKeys.LIMITS_CPU_ALLOWANCE.name());
    Optional<String> priority = config.text(InstanceKeys.LIMITS_CPU_PRIORITY.name());
    if (allowance.isPresent() || priority.isPresent()) {
      int level = config.get(InstanceKeys.LIMITS_CPU_PRIORITY).orElse(10L).intValue();
      limits.cpu(
          checked("limits.cpu.allowance", () -> CpuAllowance.parse(allowance.orElse(""), level)));
    }
  }

  private static void memory(Config config, Size host, CgroupLimits.Builder limits) {
    Optional<String> wanted = config.get(InstanceKeys.LIMITS_MEMORY);
    boolean hard = config.get(InstanceKeys.LIMITS_MEMORY_ENFORCE).orElse("hard").equals("hard");
    wanted.ifPresent(
        text -> {
          long bytes = bytes(text, host);
          if (hard) {
            limits.memoryHard(bytes);
          } else {
            limits.memorySoft(bytes);
          }
        });
    config
        .text(InstanceKeys.LIMITS_MEMORY_SWAP.name())
        .ifPresent(
            text -> {
              switch (text) {
                case "true" -> limits.swap(new Swap.Allowed());
                case "false" -> limits.swap(new Swap.Never());
                default -> limits.swap(new Swap.Extra(Size.parse(text).bytes()));
              }
            });
    if (config.text(InstanceKeys.LIMITS_MEMORY_SWAP_PRIORITY.name()).isPresent()) {
      config
          .get(InstanceKeys.LIMITS_MEMORY_SWAP_PRIORITY)
          .ifPresent(priority -> limits.swapPriority(priority.intValue()));
    }
  }

  private static long bytes(String text, Size host) {
    return text.endsWith("%")
        ? host.bytes() / 100 * Integer.parseInt(text.substring(0, text.length() - 1))
        : Size.parse(text).bytes();
  }

  /** Something that is parsed. */
  private interface Parse<T> {
    T run();
  }

  private static <T> T checked(String key, Parse<T> parse) {
    try {
      return parse.run();
    } catch (IllegalArgumentException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "config key " + key, String.valueOf(e.getMessage()), e);
    }
  }
}
