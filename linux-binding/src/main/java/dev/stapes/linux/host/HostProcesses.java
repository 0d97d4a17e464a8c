package dev.stapes.linux.host;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Pidfd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.Pty;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Processes;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Starts programs on the spawner's thread. */
final class HostProcesses implements Processes, AutoCloseable {
  private static final Duration AFTER_KILL = Duration.ofSeconds(10);

  private final Syscalls sys;
  private final Spawner spawner;
  private final HostPrograms programs;
  private final Executor listeners;
  private final Set<ChildProcess> mortals = ConcurrentHashMap.newKeySet();

  /**
   * @param listeners runs what others hang on the end of a process, which may block
   */
  HostProcesses(Syscalls sys, Spawner spawner, HostPrograms programs, Executor listeners) {
    this.sys = sys;
    this.spawner = spawner;
    this.programs = programs;
    this.listeners = listeners;
  }

  @Override
  public Child start(Start start) {
    if (start.arguments().isEmpty() || !start.arguments().get(0).startsWith("/")) {
      throw StapesException.invalid(
          "program", "not an absolute path and arguments: " + start.arguments());
    }
    List<String> command = new ArrayList<>();
    if (start.dieWithHost()) {
      command.addAll(List.of(setpriv(), "--pdeathsig", "KILL", "--"));
    }
    command.addAll(start.arguments());
    SpawnRequest.Builder request =
        SpawnRequest.of(Path.of(command.get(0)), command.subList(1, command.size()))
            .environment(start.environment());
    try {
      return start.terminal().isPresent()
          ? onTerminal(start, request, start.terminal().get())
          : onStreams(start, request);
    } catch (LinuxException e) {
      throw Failures.of(e, e.call().equals("posix_spawn") ? command.get(0) : e.subject());
    }
  }

  private String setpriv() {
    return programs
        .find("setpriv")
        .map(Path::toString)
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNAVAILABLE, "program setpriv", "not found: install util-linux"));
  }

  private Child onTerminal(Start start, SpawnRequest.Builder request, TerminalSize size) {
    try (Undo undo = new Undo()) {
      Pty pty = undo.with(Pty.open(sys));
      pty.resize(new Pty.Size(size.columns(), size.rows()));
      OutputStream in = undo.with(streamTo(pty.master().duplicate()));
      InputStream out = undo.with(streamFrom(pty.master().duplicate()));
      ChildProcess process;
      try (Fd slave = pty.openSlave()) {
        process = spawn(start, request.terminal(slave).build());
      }
      undo.commit();
      return new HostChild(process, in, out, null, pty, listeners);
    }
  }

  private Child onStreams(Start start, SpawnRequest.Builder request) {
    try (Undo undo = new Undo();
        Ends in = ends(start.stdin(), true);
        Ends out = ends(start.stdout(), false);
        Ends err = ends(start.stderr(), false)) {
      in.childs().ifPresent(request::stdin);
      out.childs().ifPresent(request::stdout);
      err.childs().ifPresent(request::stderr);
      Fd ourIn = in.takeOurs();
      OutputStream stdin = ourIn == null ? null : undo.with(streamTo(ourIn));
      Fd ourOut = out.takeOurs();
      InputStream stdout = ourOut == null ? null : undo.with(streamFrom(ourOut));
      Fd ourErr = err.takeOurs();
      InputStream stderr = ourErr == null ? null : undo.with(streamFrom(ourErr));
      ChildProcess process = spawn(start, request.build());
      undo.commit();
      return new HostChild(process, stdin, stdout, stderr, null, listeners);
    }
  }

  /** A stream that owns the descriptor, or neither of them. */
  private static OutputStream streamTo(Fd fd) {
    try {
      return fd.output();
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static InputStream streamFrom(Fd fd) {
    try {
      return fd.input();
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private ChildProcess spawn(Start start, SpawnRequest request) {
    ChildProcess process = spawner.spawn(request);
    if (start.dieWithHost()) {
      mortals.add(process);
      var unused = process.onExit().whenComplete((status, failure) -> mortals.remove(process));
    }
    return process;
  }

  /** The two ends of a stream: the child's, if it has one, and ours, if it is a pipe. */
  private static final class Ends implements AutoCloseable {
    private final @Nullable Fd childs;
    private @Nullable Fd ours;

    Ends(@Nullable Fd childs, @Nullable Fd ours) {
      this.childs = childs;
      this.ours = ours;
    }

    Optional<Fd> childs() {
      return Optional.ofNullable(childs);
    }

    @Nullable Fd takeOurs() {
      Fd taken = ours;
      ours = null;
      return taken;
    }

    @Override
    public void close() {
      if (childs != null) {
        childs.close();
      }
      if (ours != null) {
        ours.close();
      }
    }
  }

  private Ends ends(Stdio stdio, boolean input) {
    if (stdio instanceof Stdio.Pipe) {
      Pipe pipe = Pipe.open(sys);
      return input ? new Ends(pipe.read(), pipe.write()) : new Ends(pipe.write(), pipe.read());
    }
    if (stdio instanceof Stdio.File file) {
      Set<OpenFlag> flags =
          input ? Set.of(OpenFlag.READ) : Set.of(OpenFlag.WRITE, OpenFlag.APPEND, OpenFlag.CREATE);
      return new Ends(spawner.call(() -> Fd.openWithoutWaiting(sys, file.path(), flags)), null);
    }
    if (stdio instanceof Stdio.DirectFile file) {
      if (!input) {
        throw StapesException.invalid(
            "program", "cannot write to \"" + file.path() + "\" directly");
      }
      Set<OpenFlag> flags = Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.DIRECT);
      return new Ends(spawner.call(() -> Fd.openWithoutWaiting(sys, file.path(), flags)), null);
    }
    return new Ends(null, null);
  }

  @Override
  public Optional<Handle> find(long pid) {
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      return Optional.empty();
    }
    return Failures.translated(() -> Pidfd.find(sys, (int) pid))
        .map(pidfd -> new FoundProcess(pidfd, spawner, listeners));
  }

  /** Kills what must not outlive the host. */
  @Override
  public void close() {
    List<ChildProcess> dying = List.copyOf(mortals);
    dying.forEach(process -> process.signal(Signal.KILL));
    boolean interrupted = false;
    for (ChildProcess process : dying) {
      try {
        process.awaitExit(AFTER_KILL);
      } catch (InterruptedException e) {
        interrupted = true; // killed it is; its end is the kernel's business
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
