package dev.stapes.qemu.driver;

import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.model.Device;

/** The limits of a machine, as they change while it runs. */
final class LiveLimits {
  private final VmLimits limits;
  private final CpuAffinity affinity;
  private final long pid;
  private final LiveChanges changes = new LiveChanges();

  LiveLimits(VmLimits limits, CpuAffinity affinity, long pid) {
    this.limits = limits;
    this.affinity = affinity;
    this.pid = pid;
  }

  /**
   * Makes what differs take effect.
   *
   * @param from limits of the root disk before
   * @param to the same after
   */
  void change(VmPlan before, VmPlan after, Device.IoLimits from, Device.IoLimits to) {
    Microvm.requireSameProcessors(before, after);
    changes.apply("processors", before.cpuCount(), after.cpuCount(), limits::processors);
    changes.apply("memory", before.memory(), after.memory(), limits::memory);
    changes.apply("root", from, to, limits::rootDisk);
    changes.apply("cpus", before.cpus(), after.cpus(), cpus -> affinity.pin(pid, cpus));
  }

  /** Pins one that begins, where its spec says so. */
  void pin(CpuRequest cpus) {
    if (cpus instanceof CpuRequest.Pinned) {
      affinity.pin(pid, cpus);
    }
  }
}
