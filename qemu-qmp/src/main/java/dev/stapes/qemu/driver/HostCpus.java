package dev.stapes.qemu.driver;

import dev.stapes.linux.cgroup.CpuSet;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the CPUs of the host are, by what the kernel says in sysfs.
 *
 * @param sys where sysfs is
 */
record HostCpus(Path sys) {
  private static final Logger LOG = LoggerFactory.getLogger(HostCpus.class);
  private static final int UNKNOWN = -1;

  /**
   * A CPU.
   *
   * @param number of it
   * @param socket number of its package
   * @param core the first CPU of its core
   */
  private record Cpu(int number, int socket, int core) {
    boolean isKnown() {
      return socket != UNKNOWN && core != UNKNOWN;
    }
  }

  private Cpu find(int number) {
    Path topology = sys.resolve("devices/system/cpu/cpu" + number + "/topology");
    int socket = number(HostSysfs.text(topology.resolve("physical_package_id")));
    String siblings = HostSysfs.text(topology.resolve("core_cpus_list"));
    if (siblings.isEmpty()) {
      siblings = HostSysfs.text(topology.resolve("thread_siblings_list")); // before Linux 5.3
    }
    return new Cpu(number, socket, number(siblings.replaceFirst("[^0-9].*", "")));
  }

  private static int number(String text) {
    return text.matches("\\d{1,6}") ? Integer.parseInt(text) : UNKNOWN;
  }

  private List<Cpu> sorted(CpuSet cpus) {
    return cpus.stream()
        .mapToObj(this::find)
        .sorted(
            Comparator.comparingInt(Cpu::socket)
                .thenComparingInt(Cpu::core)
                .thenComparingInt(Cpu::number))
        .toList();
  }

  /** Those of a set as QEMU counts them: threads of a core beside each other, then its socket's. */
  List<Integer> inOrder(CpuSet cpus) {
    return sorted(cpus).stream().map(Cpu::number).toList();
  }

  /**
   * What a guest sees that has these: the same, as far as QEMU can have it: as many cores in each
   * socket and threads in each core. Else, and where the kernel does not tell, they are all cores.
   */
  CpuTopology topology(CpuSet cpus) {
    List<Cpu> all = sorted(cpus);
    Map<Integer, Map<Integer, Integer>> sockets = new TreeMap<>();
    for (Cpu cpu : all) {
      sockets
          .computeIfAbsent(cpu.socket(), socket -> new TreeMap<>())
          .merge(cpu.core(), 1, Integer::sum);
    }
    int cores = sockets.values().stream().mapToInt(Map::size).max().orElse(1);
    int threads =
        sockets.values().stream()
            .flatMap(each -> each.values().stream())
            .mapToInt(count -> count)
            .max()
            .orElse(1);
    CpuTopology found = new CpuTopology(sockets.size(), cores, threads);
    if (all.stream().allMatch(Cpu::isKnown)
        && found.processors() == all.size()
        && found.isPossible()) {
      return found;
    }
    LOG.info("CPUs {} are seen as {} cores: they make no whole sockets", cpus, all.size());
    return CpuTopology.ofCores(all.size());
  }
}
