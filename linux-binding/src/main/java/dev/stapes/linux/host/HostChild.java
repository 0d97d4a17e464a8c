package dev.stapes.linux.host;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.ExitStatus;
import dev.stapes.linux.Pty;
import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A process that this host started, and our ends of its streams. */
final class HostChild implements Processes.Child {
  private final ChildProcess process;
  private final OutputStream stdin;
  private final InputStream stdout;
  private final InputStream stderr;
  private final @Nullable Pty pty;
  private final CompletionStage<Integer> exit;

  /** Takes over the streams and the terminal; null where there is none. */
  HostChild(
      ChildProcess process,
      @Nullable OutputStream stdin,
      @Nullable InputStream stdout,
      @Nullable InputStream stderr,
      @Nullable Pty pty,
      Executor listeners) {
    this.process = process;
    this.stdin = stdin == null ? new Refusing(process) : stdin;
    this.stdout = stdout == null ? InputStream.nullInputStream() : stdout;
    this.stderr = stderr == null ? InputStream.nullInputStream() : stderr;
    this.pty = pty;
    this.exit = process.onExit().thenApplyAsync(ExitStatus::code, listeners);
  }

  @Override
  public long pid() {
    return process.pid();
  }

  @Override
  public void signal(int number) {
    Failures.translated(() -> process.signal(number));
  }

  @Override
  public boolean isAlive() {
    return process.isAlive();
  }

  @Override
  public CompletionStage<Integer> exit() {
    return exit;
  }

  @Override
  public OutputStream stdin() {
    return stdin;
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public synchronized void resize(TerminalSize size) {
    if (pty != null && pty.master().isOpen()) {
      Pty terminal = pty;
      Failures.translating(() -> terminal.resize(new Pty.Size(size.columns(), size.rows())));
    }
  }

  @Override
  public synchronized void close() {
    try (stdin;
        stdout;
        stderr) {
      if (pty != null) {
        pty.close();
      }
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, process.toString(), "streams not closed", e);
    }
  }

  /** Standard input of a program that reads from elsewhere. */
  private static final class Refusing extends OutputStream {
    private final ChildProcess process;

    Refusing(ChildProcess process) {
      this.process = process;
    }

    @Override
    public void write(int b) throws IOException {
      throw new IOException(process + ": its standard input is no pipe");
    }
  }
}
