package dev.stapes.qemu.driver;

import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How fast the time stamp counter of the host's CPUs goes, as far as the kernel tells.
 *
 * @param root of the host
 */
record HostClock(HostRoot root) {
  private static final Pattern MEGAHERTZ =
      Pattern.compile("(?m)^cpu MHz\\s*:\\s*(\\d{2,6})\\.(\\d{3})$");

  private static final Pattern CONSTANT = Pattern.compile("(?m)^flags\\s*:.*\\bconstant_tsc\\b");

  /** The kernel can measure how fast a CPU goes just now, and tells that. */
  private static final Pattern MEASURED = Pattern.compile("(?m)^flags\\s*:.*\\baperfmperf\\b");

  /**
   * In kHz. Where the clock of a CPU changes, what cpuinfo has is that of the moment. The base
   * frequency of cpufreq is no answer: it is a round number, and that of the counter is not.
   */
  OptionalLong kilohertz() {
    Path scaling = root.sys().resolve("devices/system/cpu/cpu0/cpufreq/scaling_driver");
    String cpus = HostSysfs.text(root.proc().resolve("cpuinfo"));
    Matcher matcher = MEGAHERTZ.matcher(cpus);
    boolean changes = !HostSysfs.text(scaling).isEmpty() || MEASURED.matcher(cpus).find();
    return !changes && CONSTANT.matcher(cpus).find() && matcher.find()
        ? OptionalLong.of(Long.parseLong(matcher.group(1) + matcher.group(2)))
        : OptionalLong.empty();
  }
}
