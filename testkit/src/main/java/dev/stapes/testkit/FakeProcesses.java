package dev.stapes.testkit;

import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The processes of a fake host: threads that run scripted programs. */
final class FakeProcesses implements Processes {
  private final Map<String, FakeProgram> scripts;
  private final Map<Long, Running> running = new ConcurrentHashMap<>();

  private record Running(FakeProcess process, boolean dieWithHost) {}

  FakeProcesses(Map<String, FakeProgram> scripts) {
    this.scripts = scripts;
  }

  /** The name of a program without its directory. */
  static String name(List<String> arguments) {
    String program = arguments.get(0);
    return program.substring(program.lastIndexOf('/') + 1);
  }

  @Override
  public Child start(Start start) {
    FakeProgram script = scripts.get(name(start.arguments()));
    if (script == null) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE, start.arguments().get(0), "no such program (ENOENT)");
    }
    boolean terminal = start.terminal().isPresent();
    FakeProcess process =
        FakeProcess.start(script, start.arguments(), start.environment(), terminal);
    running.put(process.pid, new Running(process, start.dieWithHost()));
    process.exit().thenRun(() -> running.remove(process.pid));
    CompletableFuture<Void> written = CompletableFuture.completedFuture(null);
    if (!terminal) {
      feed(start.stdin(), process);
      written =
          CompletableFuture.allOf(
              drain(start.stdout(), process.stdout), drain(start.stderr(), process.stderr));
    }
    // What a process wrote is in the file when it has ended.
    return new Held(
        process, process.exitFuture().thenCombine(written, (code, none) -> code), terminal, start);
  }

  @Override
  public Optional<Handle> find(long pid) {
    return Optional.ofNullable(running.get(pid)).map(found -> new Held(found.process));
  }

  void close() {
    for (Running each : List.copyOf(running.values())) {
      if (each.dieWithHost) {
        each.process.signal(9);
      }
    }
  }

  private static void feed(Stdio stdin, FakeProcess process) {
    if (stdin instanceof Stdio.File file) {
      var unused =
          pump(
              () -> {
                try (InputStream in = Files.newInputStream(file.path());
                    OutputStream out = process.stdin.output()) {
                  in.transferTo(out);
                }
              });
    } else if (stdin instanceof Stdio.None) {
      process.stdin.closeWriter();
    }
  }

  /** Complete when all is written; at once where somebody else reads. */
  private static CompletableFuture<Void> drain(Stdio stdio, FakePipe pipe) {
    if (stdio instanceof Stdio.Pipe) {
      return CompletableFuture.completedFuture(null);
    }
    Path path = stdio instanceof Stdio.File file ? file.path() : null;
    return pump(
        () -> {
          try (OutputStream out =
                  path == null
                      ? OutputStream.nullOutputStream()
                      : Files.newOutputStream(
                          path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
              InputStream in = pipe.input()) {
            in.transferTo(out);
          }
        });
  }

  private static CompletableFuture<Void> pump(Pump pump) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                pump.run();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              } finally {
                done.complete(null);
              }
            },
            "fake-pump");
    thread.setDaemon(true);
    thread.start();
    return done;
  }

  private interface Pump {
    void run() throws IOException;
  }

  private static final class Held implements Child {
    private final FakeProcess process;
    private final CompletableFuture<Integer> exit;
    private final boolean in;
    private final boolean out;
    private final boolean err;

    Held(FakeProcess process) {
      this.process = process;
      exit = process.exitFuture();
      in = false;
      out = false;
      err = false;
    }

    Held(FakeProcess process, CompletableFuture<Integer> exit, boolean terminal, Start start) {
      this.process = process;
      this.exit = exit;
      in = terminal || start.stdin() instanceof Stdio.Pipe;
      out = terminal || start.stdout() instanceof Stdio.Pipe;
      err = !terminal && start.stderr() instanceof Stdio.Pipe;
    }

    @Override
    public long pid() {
      return process.pid;
    }

    @Override
    public void signal(int number) {
      process.signal(number);
    }

    @Override
    public boolean isAlive() {
      return process.isAlive();
    }

    @Override
    public CompletionStage<Integer> exit() {
      return exit.minimalCompletionStage();
    }

    @Override
    public OutputStream stdin() {
      if (in) {
        return process.stdin.output();
      }
      FakePipe refusing = new FakePipe();
      refusing.closeReader();
      return refusing.output();
    }

    @Override
    public InputStream stdout() {
      return out ? process.stdout.input() : InputStream.nullInputStream();
    }

    @Override
    public InputStream stderr() {
      return err ? process.stderr.input() : InputStream.nullInputStream();
    }

    @Override
    public void resize(TerminalSize size) {
      // The scripted programs have no terminal to look at.
    }

    @Override
    public void close() {
      // It goes on.
    }
  }
}
