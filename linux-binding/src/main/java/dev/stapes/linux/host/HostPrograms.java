package dev.stapes.linux.host;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.ExitStatus;
import dev.stapes.linux.Fd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Output;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Runs programs to their end, on the caller's thread. */
final class HostPrograms implements Host.Programs {
  private static final int STDOUT_LIMIT = 16 << 20;
  private static final int STDERR_LIMIT = 1 << 20;
  private static final int QUOTED = 2000;
  private static final Duration AFTER_KILL = Duration.ofSeconds(10);

  private final Syscalls sys;
  private final Spawner spawner;
  private final List<Path> directories;

  /**
   * @param path the PATH variable
   */
  HostPrograms(Syscalls sys, Spawner spawner, String path) {
    this.sys = sys;
    this.spawner = spawner;
    Set<Path> all = new LinkedHashSet<>();
    for (String directory : (path + ":/usr/sbin:/usr/bin:/sbin:/bin").split(":")) {
      if (directory.startsWith("/")) {
        all.add(Path.of(directory));
      }
    }
    all.addAll(List.of(Path.of("/usr/local/sbin"), Path.of("/usr/local/bin")));
    this.directories = List.copyOf(all);
  }

  @Override
  public Optional<Path> find(String name) {
    if (name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) {
      throw StapesException.invalid("program", "not a program's name: \"" + name + '"');
    }
    return directories.stream()
        .map(directory -> directory.resolve(name))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }

  /** The PATH that programs get. */
  String path() {
    return String.join(":", directories.stream().map(Path::toString).toList());
  }

  @Override
  public Output run(Command command) {
    Path program = program(command.arguments().get(0));
    List<String> arguments = command.arguments().subList(1, command.arguments().size());
    try (Pipe out = Pipe.open(sys);
        Pipe err = Pipe.open(sys)) {
      ChildProcess child =
          spawn(
              SpawnRequest.of(program, arguments)
                  .environment("PATH", path())
                  .environment("LC_ALL", "C")
                  .environment(command.environment())
                  .stdout(out.write())
                  .stderr(err.write())
                  .build());
      out.write().close();
      err.write().close();
      return new Run(command, child).output(out.read(), err.read());
    } catch (LinuxException e) {
      throw Failures.of(e, program.toString());
    }
  }

  private Path program(String name) {
    if (name.indexOf('/') < 0) {
      return find(name).orElseThrow(() -> missing(name, "not found in " + path(), null));
    }
    Path path = Path.of(name);
    if (!path.isAbsolute()) {
      throw StapesException.invalid("program", "neither a name nor an absolute path: " + name);
    }
    return path;
  }

  private ChildProcess spawn(SpawnRequest request) {
    try {
      return spawner.spawn(request);
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT, Errno.EACCES, Errno.ENOEXEC)) {
        throw missing(e.subject(), "cannot be executed: " + e.errnoName(), e);
      }
      throw e;
    }
  }

  private static StapesException missing(
      String program, String why, @Nullable LinuxException cause) {
    return new StapesException(Kind.UNAVAILABLE, "program " + program, why, cause);
  }

  /** One program under way. */
  private final class Run {
    private final Command command;
    private final ChildProcess child;
    private final String subject;

    Run(Command command, ChildProcess child) {
      this.command = command;
      this.child = child;
      this.subject = "program " + command.arguments().get(0);
    }

    Output output(Fd out, Fd err) {
      Collector stdout = new Collector(out, STDOUT_LIMIT);
      Collector stderr = new Collector(err, STDERR_LIMIT);
      boolean ended = false;
      try {
        ended = Collector.collect(sys, child, command.timeout(), List.of(stdout, stderr));
        if (!ended) {
          throw new StapesException(
              Kind.TIMED_OUT, subject, "not done after " + command.timeout() + told(stderr));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted and killed", e);
      } finally {
        if (!ended) {
          child.signalGroup(Signal.KILL); // with what it started: given up means gone
        }
      }
      for (Collector full : List.of(stdout, stderr)) {
        if (full.isOverflowing()) {
          child.signalGroup(Signal.KILL);
          throw new StapesException(
              Kind.EXHAUSTED, subject, "writes more than " + full.limit() + " bytes");
        }
      }
      ExitStatus status = status();
      if (status.code() != 0) {
        throw new StapesException(Kind.INTERNAL, subject, status + told(stderr));
      }
      return new Output(stdout.text(), stderr.text());
    }

    private ExitStatus status() {
      try {
        return child
            .awaitExit(AFTER_KILL)
            .orElseThrow(() -> new StapesException(Kind.TIMED_OUT, subject, "cannot be killed"));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
      }
    }

    private String told(Collector stderr) {
      String text = stderr.text().strip();
      int from = Math.max(0, text.length() - QUOTED);
      return text.isEmpty() ? "" : ": " + text.substring(from);
    }
  }
}
