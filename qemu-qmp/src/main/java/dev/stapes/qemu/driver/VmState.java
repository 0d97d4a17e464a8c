package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceState.NetworkCounters;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
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

  private VmState() {}

  static InstanceState of(
      long pid,
      Instant startedAt,
      InstanceStatus doing,
      SortedMap<String, NetworkCounters> network) {
    try {
      String status = Files.readString(Path.of("/proc/" + pid + "/status"));
      return new InstanceState(
          doing,
          OptionalLong.of(pid),
          Optional.of(startedAt),
          cpu(pid),
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

  private static Duration cpu(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().totalCpuDuration())
        .orElse(Duration.ZERO);
  }

  private static Optional<Size> size(String status, String field) {
    Matcher matcher =
        Pattern.compile("^" + field + ":\\s+(\\d+) kB$", Pattern.MULTILINE).matcher(status);
    return matcher.find()
        ? Optional.of(new Size(Long.parseLong(matcher.group(1)) * KIBIBYTE))
        : Optional.empty();
  }
}
