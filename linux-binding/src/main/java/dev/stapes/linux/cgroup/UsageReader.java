package dev.stapes.linux.cgroup;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Reads what a group uses, file by file, on whichever hierarchy each controller is. */
final class UsageReader {
  private static final long NANOS_PER_MICRO = 1000;

  private final CgroupLayout layout;
  private final String name;

  private UsageReader(CgroupLayout layout, String name) {
    this.layout = layout;
    this.name = name;
  }

  static CgroupUsage read(CgroupLayout layout, String name) {
    UsageReader reader = new UsageReader(layout, name);
    Map<String, Long> cpu = UsageText.keyed(reader.text(Controller.CPU, "cpu.stat"));
    boolean micros = reader.isV2(Controller.CPU);
    return new CgroupUsage(
        reader.cpuNanos(),
        UsageText.value(cpu, "nr_periods"),
        UsageText.value(cpu, "nr_throttled"),
        micros
            ? times(UsageText.value(cpu, "throttled_usec"), NANOS_PER_MICRO)
            : UsageText.value(cpu, "throttled_time"),
        reader.memory("memory.usage_in_bytes", "memory.current"),
        reader.memory("memory.max_usage_in_bytes", "memory.peak"),
        UsageText.limit(reader.memoryText("memory.limit_in_bytes", "memory.max")),
        reader.swap("usage_in_bytes", "memory.swap.current"),
        reader.swap("limit_in_bytes", "memory.swap.max"),
        reader.oomKills(),
        UsageText.number(reader.text(Controller.PIDS, "pids.current")),
        UsageText.limit(reader.text(Controller.PIDS, "pids.max")),
        reader.io());
  }

  private boolean isV2(Controller controller) {
    return layout.hierarchy(controller).filter(Hierarchy::isV2).isPresent();
  }

  private static OptionalLong times(OptionalLong value, long factor) {
    return value.isPresent() ? OptionalLong.of(value.getAsLong() * factor) : value;
  }

  /** Returns a file's content; empty without controller, group or file. */
  private String text(Controller controller, String file) {
    return layout
        .hierarchy(controller)
        .flatMap(hierarchy -> CgroupFiles.readIfThere(hierarchy.directory(name).resolve(file)))
        .orElse("");
  }

  private OptionalLong cpuNanos() {
    if (!isV2(Controller.CPUACCT)) {
      return UsageText.number(text(Controller.CPUACCT, "cpuacct.usage"));
    }
    Map<String, Long> stat = UsageText.keyed(text(Controller.CPUACCT, "cpu.stat"));
    return times(UsageText.value(stat, "usage_usec"), NANOS_PER_MICRO);
  }

  private String memoryText(String v1, String v2) {
    return text(Controller.MEMORY, isV2(Controller.MEMORY) ? v2 : v1);
  }

  private OptionalLong memory(String v1, String v2) {
    return UsageText.number(memoryText(v1, v2));
  }

  /**
   * v1 counts memory and swap together. The two files are read one after the other, hence never
   * below 0.
   */
  private OptionalLong swap(String v1, String v2) {
    if (isV2(Controller.MEMORY)) {
      return UsageText.limit(text(Controller.MEMORY, v2));
    }
    OptionalLong both = UsageText.limit(text(Controller.MEMORY, "memory.memsw." + v1));
    OptionalLong memory = UsageText.limit(text(Controller.MEMORY, "memory." + v1));
    return both.isPresent() && memory.isPresent()
        ? OptionalLong.of(Math.max(0, both.getAsLong() - memory.getAsLong()))
        : OptionalLong.empty();
  }

  /** v2 counts up to the root; v1 only in the very group of the one that was killed. */
  private OptionalLong oomKills() {
    Optional<Hierarchy> place = layout.hierarchy(Controller.MEMORY);
    if (place.isEmpty() || place.get().isV2()) {
      return UsageText.value(UsageText.keyed(text(Controller.MEMORY, "memory.events")), "oom_kill");
    }
    Path directory = place.get().directory(name);
    List<Long> counts =
        Stream.concat(Stream.of(directory), CgroupFiles.descendants(directory).stream())
            .flatMap(each -> CgroupFiles.readIfThere(each.resolve("memory.oom_control")).stream())
            .flatMapToLong(text -> UsageText.value(UsageText.keyed(text), "oom_kill").stream())
            .boxed()
            .toList();
    return counts.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(counts.stream().mapToLong(Long::longValue).sum());
  }

  private Map<BlockDevice, CgroupUsage.Io> io() {
    return isV2(Controller.IO)
        ? UsageText.ioV2(text(Controller.IO, "io.stat"))
        : UsageText.ioV1(
            text(Controller.IO, "blkio.throttle.io_service_bytes_recursive"),
            text(Controller.IO, "blkio.throttle.io_serviced_recursive"));
  }
}
