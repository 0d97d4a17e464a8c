package dev.stapes.linux.cgroup;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Chooses CPUs for those who asked for a number of them.
 *
 * <p>Pure: the same input always gives the same answer. As in Incus, pinned ones count as load
 * where they are pinned, and the others take the least loaded CPUs one after the other; Incus takes
 * them in random order, here it is the order of their names, so that nobody moves without a cause.
 */
public final class CpuBalance {
  private CpuBalance() {}

  /**
   * Chooses {@code count} CPUs of {@code pool}: those that the fewest of {@code taken} use, the
   * lowest number first among equals. More than the pool has is the whole pool.
   *
   * @throws IllegalArgumentException if the pool is empty or {@code count} is below 1
   */
  public static CpuSet choose(int count, CpuSet pool, Collection<CpuSet> taken) {
    if (pool.isEmpty() || count < 1) {
      throw new IllegalArgumentException("cannot choose " + count + " CPUs of \"" + pool + "\"");
    }
    List<Integer> byLoad =
        pool.stream()
            .boxed()
            .sorted(
                Comparator.<Integer>comparingLong(
                        cpu -> taken.stream().filter(set -> set.contains(cpu)).count())
                    .thenComparing(Comparator.naturalOrder()))
            .limit(count)
            .toList();
    return CpuSet.of(byLoad);
  }

  /**
   * Assigns CPUs to all requests at once.
   *
   * @param online the CPUs that may be used
   * @param requests what each one asks for, by name
   * @return the CPUs of each, by name. One whose pinned CPUs are all offline is left out: there is
   *     nothing that the kernel would accept for it
   * @throws IllegalArgumentException if {@code online} is empty
   */
  public static SortedMap<String, CpuSet> assign(CpuSet online, Map<String, CpuRequest> requests) {
    if (online.isEmpty()) {
      throw new IllegalArgumentException("cannot assign CPUs: none is online");
    }
    SortedMap<String, CpuSet> assigned = new TreeMap<>();
    requests.forEach(
        (name, request) -> {
          if (request instanceof CpuRequest.Pinned pinned) {
            CpuSet usable = pinned.cpus().intersection(online);
            if (!usable.isEmpty()) {
              assigned.put(name, usable);
            }
          }
        });
    new TreeMap<>(requests)
        .forEach(
            (name, request) -> {
              if (request instanceof CpuRequest.Count wanted) {
                assigned.put(name, choose(wanted.count(), online, List.copyOf(assigned.values())));
              }
            });
    return assigned;
  }
}
