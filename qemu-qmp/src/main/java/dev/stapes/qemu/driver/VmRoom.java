package dev.stapes.qemu.driver;

import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.model.Size;
import dev.stapes.spi.Host;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a machine has room for while it runs. It depends on the host of the start, and decides where
 * devices are: memory that was saved fits no machine with another one.
 *
 * @param cpus the processors that it can have
 * @param growth how many bytes of memory it can have beyond those of the start
 * @param slots for devices that come and go
 * @param vsock whether there is a {@link Vsock}
 */
record VmRoom(CpuTopology cpus, long growth, int slots, boolean vsock) {
  private static final Pattern CPUS = Pattern.compile("(?:^|,)maxcpus=(\\d{1,9})(?:,|$)");
  private static final Pattern MEMORY = Pattern.compile("(?:^|,)size=(\\d{1,12})M(?:,|$)");
  private static final Pattern MOST_MEMORY = Pattern.compile("(?:^|,)maxmem=(\\d{1,12})M(?:,|$)");
  private static final Pattern SLOT =
      Pattern.compile("\"id\":\"" + PciSlots.NAME + "\\d+\"|(?:^|,)id=" + PciSlots.NAME + "\\d+");

  /** That of one which is started anew. */
  static VmRoom of(VmPlan plan, Host.Facts facts, HostCpus host, Vsock vsock) {
    VmRoom room = of(plan, host, facts.onlineCpus().size(), facts.memory());
    boolean has = plan.vsockId().isPresent() && vsock.isUsable();
    return new VmRoom(room.cpus(), room.growth(), room.slots(), has);
  }

  /**
   * The same without a vsock.
   *
   * @param host its CPUs
   * @param mostCpus of the host
   * @param mostMemory of the host
   */
  static VmRoom of(VmPlan plan, HostCpus host, int mostCpus, Size mostMemory) {
    boolean fixed = plan.board().equals("microvm");
    CpuTopology cpus =
        plan.cpus() instanceof CpuRequest.Pinned pinned
            ? host.topology(pinned.cpus())
            : CpuTopology.ofCores(plan.cpuCount());
    return new VmRoom(
        plan.topology().orElse(fixed ? cpus : cpus.upTo(mostCpus)),
        VmMemory.growth(plan, mostMemory),
        fixed ? 0 : plan.slots(),
        false);
  }

  /** That of one which was started with these arguments, by whatever version of this. */
  static VmRoom of(List<String> arguments) {
    long most = number(arguments, "-m", MOST_MEMORY, () -> memory(arguments).bytes());
    long cpus = number(arguments, "-smp", CPUS, () -> 1);
    long slots =
        CommandLine.values(arguments, "-device").stream()
            .filter(text -> SLOT.matcher(text).find())
            .count();
    boolean vsock =
        CommandLine.values(arguments, "-device").stream().anyMatch(CommandLine::isVsock);
    String smp = CommandLine.values(arguments, "-smp").stream().findFirst().orElse("");
    return new VmRoom(
        CpuTopology.in(smp, (int) cpus), most - memory(arguments).bytes(), (int) slots, vsock);
  }

  /** The memory that a machine was started with. */
  static Size memory(List<String> arguments) {
    return new Size(number(arguments, "-m", MEMORY, () -> 0));
  }

  /** Of the first that is there: those of the user come after ours. Sizes are in bytes. */
  private static long number(
      List<String> arguments, String option, Pattern pattern, LongSupplier otherwise) {
    for (String value : CommandLine.values(arguments, option)) {
      Matcher matcher = pattern.matcher(value);
      if (matcher.find()) {
        long number = Long.parseLong(matcher.group(1));
        return option.equals("-m") ? Size.ofMebibytes(number).bytes() : number;
      }
    }
    return otherwise.getAsLong();
  }
}
