package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** Finds the first process of a container. */
final class FirstProcess {
  private static final Pattern PID = Pattern.compile("\\d{1,18}");

  private FirstProcess() {}

  /**
   * Waits for it, and finds it.
   *
   * @param ready where it says that it is there
   * @param millis that it has for that
   * @return empty: it did not come up, or has ended already
   */
  static Optional<Processes.Handle> await(
      DriverContext context, RunFiles files, Processes.Child monitor, Fd ready, long millis) {
    return AgentDirectory.awaitReady(context.sys(), ready, millis, monitor::isAlive)
        ? find(context, files, monitor)
        : Optional.empty();
  }

  /** It is the monitor's only child; where the kernel does not tell, ask liblxc. */
  static Optional<Processes.Handle> find(
      DriverContext context, RunFiles files, Processes.Handle monitor) {
    OptionalLong child = onlyChild(monitor.pid());
    if (child.isPresent()) {
      Optional<Processes.Handle> found = context.host().processes().find(child.getAsLong());
      // Asked again: the number was its own when the handle was made.
      if (found.isPresent() && child.equals(onlyChild(monitor.pid()))) {
        return found;
      }
      found.ifPresent(Processes.Handle::close);
    }
    return find(context, files);
  }

  /** From proc_pid_task_tid_children(5), which not every kernel has. */
  private static OptionalLong onlyChild(long parent) {
    try {
      String children =
          Files.readString(Path.of("/proc/" + parent + "/task/" + parent + "/children")).strip();
      return PID.matcher(children).matches()
          ? OptionalLong.of(Long.parseLong(children))
          : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /** As liblxc tells it. */
  static Optional<Processes.Handle> find(DriverContext context, RunFiles files) {
    try (ContainerCalls calls = new ContainerAccess(context.library(), files).calls()) {
      OptionalInt pid = calls.initPid();
      if (pid.isEmpty()) {
        return Optional.empty();
      }
      Optional<Processes.Handle> found = context.host().processes().find(pid.getAsInt());
      // Asked again: the number was its own when the handle was made.
      if (found.isPresent() && !pid.equals(calls.initPid())) {
        found.get().close();
        return Optional.empty();
      }
      return found;
    }
  }
}
