package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a guest sees its processors, as many as it can ever have: in sockets of cores of threads.
 *
 * @param sockets of the machine
 * @param cores of each socket
 * @param threads of each core
 */
record CpuTopology(int sockets, int cores, int threads) {
  private static final Pattern FORM =
      Pattern.compile("sockets=(\\d{1,3}),cores=(\\d{1,3}),threads=(\\d{1,3})");

  /** One socket with so many cores. */
  static CpuTopology ofCores(int cores) {
    return new CpuTopology(1, cores, 1);
  }

  /**
   * Reads what a user asks for.
   *
   * @param key for the error
   * @throws StapesException INVALID, quoting the value
   */
  static CpuTopology parse(String key, String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw StapesException.invalid(
          "config key " + key, "must be sockets=S,cores=C,threads=T: \"" + text + "\"");
    }
    CpuTopology topology = of(matcher);
    if (!topology.isPossible()) {
      throw StapesException.invalid("config key " + key, topology.why() + ": \"" + text + "\"");
    }
    return topology;
  }

  /** Where it is in the value of an option of QEMU; otherwise cores alone. */
  static CpuTopology in(String option, int otherwise) {
    Matcher matcher = FORM.matcher(option);
    return matcher.find() ? of(matcher) : ofCores(otherwise);
  }

  private static CpuTopology of(Matcher matcher) {
    List<Integer> numbers =
        List.of(matcher.group(1), matcher.group(2), matcher.group(3)).stream()
            .map(Integer::valueOf)
            .toList();
    return new CpuTopology(numbers.get(0), numbers.get(1), numbers.get(2));
  }

  /** How many processors those are. */
  int processors() {
    return sockets * cores * threads;
  }

  /**
   * Whether a machine can have it: the number of a processor's interrupt controller has bits of its
   * own for the thread and for the core, and there are 255 such numbers without an IOMMU.
   */
  boolean isPossible() {
    return hasAll() && highest() < VmPlan.MOST_CPUS;
  }

  private boolean hasAll() {
    return sockets > 0 && cores > 0 && threads > 0;
  }

  /** The number of the last one. */
  private long highest() {
    return (long) (sockets - 1) * roundedUp(cores) * roundedUp(threads)
        + (long) (cores - 1) * roundedUp(threads)
        + (threads - 1);
  }

  private String why() {
    return hasAll()
        ? "its last processor would have the APIC number "
            + highest()
            + ", and "
            + (VmPlan.MOST_CPUS - 1)
            + " is the highest"
        : "must have a socket, a core and a thread";
  }

  /** To a power of 2. */
  private static int roundedUp(int count) {
    int power = Integer.highestOneBit(count);
    return power == count ? power : 2 * power;
  }

  /**
   * The same with room for more: cores where there is one socket, else whole sockets.
   *
   * @param most how many processors there shall be at most, where these are not more already
   */
  CpuTopology upTo(int most) {
    CpuTopology best = this;
    for (CpuTopology next = larger(); next.processors() <= most; next = next.larger()) {
      if (!next.isPossible()) {
        break;
      }
      best = next;
    }
    return best;
  }

  private CpuTopology larger() {
    return sockets == 1
        ? new CpuTopology(1, cores + 1, threads)
        : new CpuTopology(sockets + 1, cores, threads);
  }

  /** As an option of QEMU has it. */
  @Override
  public String toString() {
    return "sockets=" + sockets + ",cores=" + cores + ",threads=" + threads;
  }
}
