package dev.stapes.linux.cgroup;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A controller of the kernel, under the names that cgroup v1 and v2 give it. */
public enum Controller {
  /** Shares of CPU time and hard quotas. */
  CPU("cpu", "cpu"),
  /**
   * CPU time used; in v2 part of the core: {@code cpu.stat} is there without the cpu controller.
   */
  CPUACCT("cpuacct", null),
  /** Which CPUs and memory nodes may be used. */
  CPUSET("cpuset", "cpuset"),
  /** Memory and swap. */
  MEMORY("memory", "memory"),
  /** Number of processes and threads. */
  PIDS("pids", "pids"),
  /** Block I/O; v1 calls it blkio. */
  IO("blkio", "io"),
  /** Huge pages. */
  HUGETLB("hugetlb", "hugetlb"),
  /** Access to device nodes; in v2 a BPF program and no controller. */
  DEVICES("devices", null),
  /** Freezing; in v2 part of the core. */
  FREEZER("freezer", null),
  /** Classes of network packets. */
  NET_CLS("net_cls", null),
  /** Priority of network traffic. */
  NET_PRIO("net_prio", null),
  /** Groups as a scope of perf; on by itself in v2. */
  PERF_EVENT("perf_event", null),
  /** RDMA resources. */
  RDMA("rdma", "rdma"),
  /** Scalar resources such as encryption ids. */
  MISC("misc", "misc"),
  /** Device memory. */
  DMEM("dmem", "dmem"),
  /** The kernel's own debugging. */
  DEBUG("debug", "debug");

  private final String v1Name;
  private final Optional<String> v2Name;

  Controller(String v1Name, @Nullable String v2Name) {
    this.v1Name = v1Name;
    this.v2Name = Optional.ofNullable(v2Name);
  }

  /** Returns the name in a v1 mount's options, such as {@code blkio}. */
  public String v1Name() {
    return v1Name;
  }

  /** Returns the name in {@code cgroup.controllers}, or nothing where v2 has no such controller. */
  public Optional<String> v2Name() {
    return v2Name;
  }

  static Optional<Controller> ofV1(String name) {
    for (Controller controller : values()) {
      if (controller.v1Name.equals(name)) {
        return Optional.of(controller);
      }
    }
    return Optional.empty();
  }

  static Optional<Controller> ofV2(String name) {
    for (Controller controller : values()) {
      if (controller.v2Name.isPresent() && controller.v2Name.get().equals(name)) {
        return Optional.of(controller);
      }
    }
    return Optional.empty();
  }
}
