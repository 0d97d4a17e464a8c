package dev.stapes.testkit;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** A running fake instance: its processes, console and files. */
final class FakeRunning {
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final Map<String, FakeProgram> programs;
  private final Tree files;
  private final FakeProcess init = new FakeProcess("init", true);
  private final FakeConsole console;
  private final Path log;
  private final CompletableFuture<Machine.Exit> exit = new CompletableFuture<>();
  private final Map<Long, FakeProcess> processes = new ConcurrentHashMap<>();
  private final AtomicLong pids = new AtomicLong(1);
  private final Instant startedAt = Instant.now();
  private final List<Consumer<Machine.Incident>> listeners = new CopyOnWriteArrayList<>();
  private final AtomicBoolean ending = new AtomicBoolean();
  private volatile Machine.Spec spec;
  private boolean frozen;

  FakeRunning(Machine.Spec spec, Tree files, Map<String, FakeProgram> programs, Path log) {
    this.spec = spec;
    this.log = log;
    this.console = new FakeConsole(init.stdin, log, spec.lifetime() != Lifetime.THROWAWAY);
    this.files = files;
    this.programs = programs;
  }

  void boot(FakeProgram program) {
    Guest guest = new Guest(1, init, "/", 0, 0, new FakeTerminal(Optional.empty()));
    Thread pump =
        new Thread(
            () -> {
              try {
                init.stdout.input().transferTo(console.writer());
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            "fake-console-" + spec.id());
    pump.setDaemon(true);
    pump.start();
    processes.put(1L, init);
    init.exit()
        .thenAccept(
            code ->
                end(
                    new Machine.Exit(
                        code > 128 ? "killed by signal " + (code - 128) : "exit code " + code,
                        false)));
    init.start(program, List.of("init"), environment(Map.of()), Optional.of(guest));
  }

  Machine.Spec spec() {
    return spec;
  }

  void update(Machine.Spec changed) {
    spec = changed;
  }

  long pid() {
    return init.pid;
  }

  Instant startedAt() {
    return startedAt;
  }

  CompletionStage<Machine.Exit> exit() {
    return exit.minimalCompletionStage();
  }

  FakeConsole console() {
    return console;
  }

  Path log() {
    return log;
  }

  /** A tree of its own for each who asks. */
  Tree files() {
    return files.subtree("/");
  }

  boolean isOver() {
    return exit.isDone();
  }

  void requestShutdown() {
    init.signal(30);
  }

  void kill() {
    end(new Machine.Exit("killed by signal 9", false));
  }

  /** Ends it; of several ends the first is the one that is told. */
  void end(Machine.Exit how) {
    if (!ending.compareAndSet(false, true)) {
      return;
    }
    processes.values().forEach(process -> process.signal(9));
    console.end();
    files.close();
    exit.complete(how);
  }

  void listen(Consumer<Machine.Incident> listener) {
    listeners.add(listener);
  }

  void forget(List<Consumer<Machine.Incident>> gone) {
    listeners.removeAll(gone);
  }

  void tell(Machine.Incident incident) {
    listeners.forEach(listener -> listener.accept(incident));
  }

  synchronized void freeze(boolean whether) {
    frozen = whether;
    processes.values().forEach(process -> process.hold(whether));
  }

  synchronized boolean isFrozen() {
    return frozen;
  }

  Started exec(ExecSpec command) {
    if (exit.isDone()) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE, "instance " + spec.name(), "does not run");
    }
    String name = FakeProcesses.name(command.command());
    FakeProgram program = programs.getOrDefault(name, missing(command.command().get(0)));
    long pid = pids.incrementAndGet();
    FakeProcess process = new FakeProcess(name, command.terminal().isPresent());
    FakeTerminal terminal = new FakeTerminal(command.terminal());
    Guest guest =
        new Guest(
            pid,
            process,
            command.directory().orElse(command.user() == 0 ? "/root" : "/"),
            command.user(),
            command.group().orElse(command.user()),
            terminal);
    processes.put(pid, process);
    process.exit().thenRun(() -> processes.remove(pid));
    if (isFrozen()) {
      process.hold(true);
    }
    process.start(
        program, command.command(), environment(command.environment()), Optional.of(guest));
    return new Started(process, terminal);
  }

  /** What a shell says of a program that is not there, or is a file but no program. */
  private FakeProgram missing(String path) {
    boolean file =
        path.startsWith("/")
            && files.stat(path).filter(stat -> stat.type() == Tree.Type.FILE).isPresent();
    return file
        ? FakeProgram.failing(126, path + ": Permission denied\n")
        : FakeProgram.failing(127, path + ": not found\n");
  }

  private Map<String, String> environment(Map<String, String> more) {
    Map<String, String> all = new TreeMap<>(Map.of("PATH", PATH, "HOME", "/root"));
    all.putAll(spec.config().family("environment."));
    all.putAll(more);
    return all;
  }

  /**
   * A program that was started.
   *
   * @param terminal its terminal
   */
  record Started(FakeProcess process, FakeTerminal terminal) {}

  private final class Guest implements FakeGuest {
    private final long pid;
    private final FakeProcess process;
    private final String directory;
    private final long user;
    private final long group;
    private final FakeTerminal terminal;

    Guest(
        long pid,
        FakeProcess process,
        String directory,
        long user,
        long group,
        FakeTerminal terminal) {
      this.pid = pid;
      this.process = process;
      this.directory = directory;
      this.user = user;
      this.group = group;
      this.terminal = terminal;
    }

    @Override
    public InstanceId instance() {
      return spec.id();
    }

    @Override
    public long pid() {
      return pid;
    }

    @Override
    public String directory() {
      return directory;
    }

    @Override
    public long user() {
      return user;
    }

    @Override
    public long group() {
      return group;
    }

    @Override
    public Optional<TerminalSize> terminal() {
      return terminal.size();
    }

    @Override
    public int takeSignal() {
      return process.takeSignal();
    }

    @Override
    public Tree files() {
      return FakeRunning.this.files();
    }

    @Override
    public OutputStream console() {
      return console.writer();
    }

    @Override
    public boolean signal(long target, int number) {
      FakeProcess found = processes.get(target);
      if (found == null || !found.isAlive()) {
        return false;
      }
      found.signal(number);
      return true;
    }

    @Override
    public void end(Machine.Exit how) {
      FakeRunning.this.end(how);
    }
  }
}
