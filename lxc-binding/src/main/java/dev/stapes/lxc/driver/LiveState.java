package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupUsage;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Size;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a running container is doing. */
final class LiveState {
  private LiveState() {}

  /**
   * The state.
   *
   * @param pid of its first process
   */
  static InstanceState of(long pid, Instant startedAt, boolean frozen, CgroupUsage usage) {
    return new InstanceState(
        frozen ? InstanceStatus.FROZEN : InstanceStatus.RUNNING,
        OptionalLong.of(pid),
        Optional.of(startedAt),
        Duration.ofNanos(usage.cpuNanos().orElse(0)),
        size(usage.memoryBytes()),
        size(usage.memoryPeakBytes()),
        size(usage.swapBytes()),
        usage.processes(),
        usage.oomKills().orElse(0),
        Optional.empty(),
        network(pid));
  }

  private static Optional<Size> size(OptionalLong bytes) {
    return bytes.isPresent() ? Optional.of(Size.ofBytes(bytes.getAsLong())) : Optional.empty();
  }

  private static SortedMap<String, InstanceState.NetworkCounters> network(long pid) {
    try {
      return NetworkCounters.parse(Files.readString(Path.of("/proc/" + pid + "/net/dev")));
    } catch (IOException e) {
      return new TreeMap<>(); // it has just ended
    }
  }
}
