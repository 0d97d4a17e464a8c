package dev.stapes.linux.host;

import dev.stapes.linux.Kernel;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** Reads what does not change from /proc; the parsers are pure. */
final class HostFacts {
  private HostFacts() {}

  static Host.Facts read(Kernel kernel) {
    return new Host.Facts(
        kernel.release(),
        kernel.architecture(),
        cpus(field(text("/proc/self/status"), "Cpus_allowed_list")),
        memory(field(text("/proc/meminfo"), "MemTotal")),
        kernel.isRoot());
  }

  private static String text(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, file, "cannot be read: " + e.getMessage(), e);
    }
  }

  /** The value of a line such as {@code MemTotal: 24 kB}. */
  static String field(String text, String name) {
    return text.lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).trim())
        .findFirst()
        .orElseThrow(() -> unexpected(name, "no such line"));
  }

  /** Parses a list such as {@code 0-3,8}. */
  static Set<Integer> cpus(String list) {
    Set<Integer> cpus = new TreeSet<>();
    try {
      for (String range : list.split(",")) {
        int dash = range.indexOf('-');
        int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
        int last = dash < 0 ? first : Integer.parseInt(range.substring(dash + 1));
        for (int cpu = first; cpu <= last; cpu++) {
          cpus.add(cpu);
        }
      }
      return cpus;
    } catch (NumberFormatException e) {
      throw unexpected("Cpus_allowed_list", "not a list of CPUs: \"" + list + '"');
    }
  }

  /** Parses a number of kB. */
  static Size memory(String value) {
    if (!value.matches("\\d{1,15} kB")) {
      throw unexpected("MemTotal", "not a number of kB: \"" + value + '"');
    }
    return Size.ofBytes(Long.parseLong(value.substring(0, value.length() - 3)) * 1024);
  }

  private static StapesException unexpected(String field, String problem) {
    return new StapesException(StapesException.Kind.INTERNAL, field, problem);
  }
}
