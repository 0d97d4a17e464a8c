package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceState.NetworkCounters;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the process of a virtual machine uses; proc(5). */
final class VmState {
  private static final int KIBIBYTE = 1024;

  /** USER_HZ, which is what the kernel tells all programs times in. */
  private static final int MILLIS_PER_TICK = 10;

  /** Behind the name, which is the second field: utime and stime, the 14th and 15th. */
  private static final int UTIME = 11;

  private static final int STIME = 12;

  private VmState() {}

  /**
   * Of one.
   *
   * @param process its directory in procfs
   */
  static InstanceState of(
      Path process,
      long pid,
      Instant startedAt,
      InstanceStatus doing,
      SortedMap<String, NetworkCounters> network) {
    try {
      String status = Files.readString(process.resolve("status"));
      return new InstanceState(
          doing,
          OptionalLong.of(pid),
          Optional.of(startedAt),
          cpu(Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1)),
          size(status, "VmRSS"),
          size(status, "VmHWM"),
          size(status, "VmSwap"),
          OptionalLong.empty(),
          0,
          Optional.empty(),
          network);
    } catch (IOException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, "process " + pid, "its state cannot be read: " + e, e);
    }
  }

  /** Of all its threads. Its name may have parentheses and spaces in it. */
  private static Duration cpu(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    long ticks = Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]);
    return Duration.ofMillis(ticks * MILLIS_PER_TICK);
  }

  private static Optional<Size> size(String status, String field) {
    Matcher matcher =
        Pattern.compile("^" + field + ":\\s+(\\d+) kB$", Pattern.MULTILINE).matcher(status);
    return matcher.find()
        ? Optional.of(new Size(Long.parseLong(matcher.group(1)) * KIBIBYTE))
        : Optional.empty();
  }
}
