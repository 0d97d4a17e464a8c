package dev.stapes.qemu.driver;

import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.CpuInfoFast;
import dev.stapes.qmp.qemu.QueryCpusFast;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.nio.file.Files;
import java.util.List;

/** Which of the host's CPUs execute the processors of a machine; sched_setaffinity(2). */
final class CpuAffinity {
  private final Host host;
  private final HostRoot root;
  private final Monitor monitor;

  CpuAffinity(Host host, HostRoot root, Monitor monitor) {
    this.host = host;
    this.root = root;
    this.monitor = monitor;
  }

  /**
   * Each processor on a CPU of its own, all else of QEMU on any of them; or, for a mere number,
   * everything where it likes.
   *
   * @throws StapesException UNSUPPORTED where one of the CPUs is not online
   */
  void pin(long pid, CpuRequest request) {
    CpuSet online = CpuSet.of(host.facts().onlineCpus());
    CpuSet cpus = request instanceof CpuRequest.Pinned pinned ? pinned.cpus() : online;
    require(online, cpus);
    run("-a", cpus.toString(), pid);
    if (request instanceof CpuRequest.Pinned) {
      List<Integer> numbers = root.cpus().inOrder(cpus);
      for (CpuInfoFast processor : monitor.execute(QueryCpusFast.of())) {
        if (!Files.exists(root.proc().resolve(pid + "/task/" + processor.threadId()))) {
          throw new StapesException(
              Kind.INTERNAL,
              "process " + pid,
              "QEMU names a thread that it has not: " + processor.threadId());
        }
        int index = Math.floorMod((int) processor.cpuIndex(), numbers.size());
        run("-c", numbers.get(index).toString(), processor.threadId());
      }
    }
  }

  /** What can be known before the start. */
  static void require(CpuSet online, CpuSet cpus) {
    if (!online.containsAll(cpus)) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "config key " + InstanceKeys.LIMITS_CPU.name(),
          "not all of these CPUs are online: \"" + cpus + "\", online are " + online);
    }
  }

  private void run(String threads, String cpus, long id) {
    host.programs()
        .run(
            threads.equals("-a")
                ? Command.of("taskset", "-a", "-c", "-p", cpus, Long.toString(id))
                : Command.of("taskset", "-c", "-p", cpus, Long.toString(id)));
  }
}
