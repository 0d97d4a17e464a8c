package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * QEMU's machine type {@code microvm}: without PCI and without the timers of old. KVM tells its
 * kernel the time. Under emulation it has the time stamp counter alone, and nothing to measure that
 * by: it is told how fast it goes.
 */
final class Microvm {
  /** What it is called. */
  static final String NAME = "microvm";

  private static final String FREQUENCY = "tsc_early_khz=";
  private static final Pattern TOLD =
      Pattern.compile("(?<=^| )" + FREQUENCY + "(\\d{1,18})(?= |$)");

  /** A ten-thousandth is a fifth of what a guest can make up for that asks others for the time. */
  private static final long CLOSE = 10_000;

  private Microvm() {}

  /** What the option {@code -machine} has of it. */
  static String machine() {
    return NAME + ",acpi=on,rtc=on,pit=off,pic=off,isa-serial=on,";
  }

  /** Whether a plan is of one. */
  static boolean isOne(VmPlan plan) {
    return plan.board().equals(NAME);
  }

  /**
   * Arguments of its kernel.
   *
   * @param kvm whether it is not emulated
   */
  static String kernelArguments(VmPlan plan, String arguments, boolean kvm) {
    if (kvm || !isOne(plan) || isTold(arguments)) {
      return arguments;
    }
    OptionalLong frequency = plan.clock().kilohertz();
    if (frequency.isEmpty()) {
      return arguments;
    }
    String more = FREQUENCY + frequency.getAsLong() + " tsc=reliable";
    return arguments.isEmpty() ? more : arguments + " " + more;
  }

  /**
   * Whether kernels with these arguments are told the same. One that goes on does not read them
   * again, and a host that begins anew measures its counter a little differently.
   */
  static boolean isToldTheSame(String arguments, String others) {
    Matcher one = TOLD.matcher(arguments);
    Matcher other = TOLD.matcher(others);
    if (!one.find() || !other.find()) {
      return arguments.equals(others);
    }
    long frequency = Long.parseLong(one.group(1));
    return one.replaceFirst("").equals(other.replaceFirst(""))
        && Math.abs(frequency - Long.parseLong(other.group(1))) <= frequency / CLOSE;
  }

  /**
   * Fails where it would get or lose processors while it runs.
   *
   * @throws StapesException UNSUPPORTED
   */
  static void requireSameProcessors(VmPlan before, VmPlan after) {
    if (isOne(before) && before.cpuCount() != after.cpuCount()) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "config key limits.cpu",
          "the processors of a microvm do not change while it runs: " + after.cpuCount());
    }
  }

  private static boolean isTold(String arguments) {
    return Stream.of(arguments.split(" ", -1)).anyMatch(word -> word.startsWith(FREQUENCY));
  }

  /**
   * Fails where it would hang while it starts.
   *
   * @throws StapesException UNAVAILABLE, with what to do
   */
  static void requireClock(String subject, VmPlan plan, boolean kvm) {
    if (!kvm
        && isOne(plan)
        && plan.firmware() instanceof Firmware.Kernel kernel
        && !isTold(kernel.arguments())
        && plan.clock().kilohertz().isEmpty()) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "a microvm cannot be emulated here: the host does not tell how fast its time stamp"
              + " counter goes: add tsc_early_khz=, as its kernel wrote of the tsc at boot, to "
              + QemuKeys.KERNEL_ARGUMENTS.name()
              + ", or let it be a q35");
    }
  }
}
