package dev.stapes;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * A program that runs in an instance. Reading and writing its streams is up to the caller; a
 * program that writes more than a pipe holds waits until it is read. Close it in any case.
 */
public final class ExecProcess implements AutoCloseable {
  private static final int SIGKILL = 9;
  private static final Duration LONG = Duration.ofDays(3650);
  private static final Duration AFTER_KILL = Duration.ofSeconds(10);

  private final Machine.Exec exec;
  private final ExecSpec spec;

  ExecProcess(Machine.Exec exec, ExecSpec spec) {
    this.exec = exec;
    this.spec = spec;
  }

  /** To its standard input, unbuffered; closing it is end-of-file. */
  public OutputStream stdin() {
    return exec.stdin();
  }

  /** From its standard output, or its terminal. */
  public InputStream stdout() {
    return exec.stdout();
  }

  /** From its standard error; empty with a terminal. */
  public InputStream stderr() {
    return exec.stderr();
  }

  /**
   * Waits for its end.
   *
   * @return exit code as a shell reports it: 126 not executable, 127 not found, 128 + n killed by
   *     signal n
   * @throws StapesException TIMED_OUT after the timeout of the spec, counted from this call, when
   *     it was killed; INTERRUPTED
   */
  public int await() {
    OptionalInt code = await(spec.timeout().orElse(LONG));
    if (code.isPresent()) {
      return code.getAsInt();
    }
    signal(SIGKILL);
    await(AFTER_KILL);
    throw new StapesException(
        StapesException.Kind.TIMED_OUT,
        "exec " + spec.command().get(0),
        "killed after " + spec.timeout().orElse(LONG));
  }

  /** Waits for its end; empty where it still runs after the time. */
  public OptionalInt await(Duration limit) {
    try {
      return exec.await(limit);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          StapesException.Kind.INTERRUPTED,
          "exec " + spec.command().get(0),
          "the waiting thread was interrupted",
          e);
    }
  }

  /** Sends a signal by number (signal(7)) to it and what it started in its session. */
  public void signal(int number) {
    if (number < 1 || number > 64) {
      throw StapesException.invalid("signal", "must be 1 to 64: " + number);
    }
    exec.signal(number);
  }

  /** Changes the size of its terminal; does nothing without one. */
  public void resize(int columns, int rows) {
    exec.resize(new ExecSpec.TerminalSize(columns, rows));
  }

  /** Kills it if it still runs. Idempotent. */
  @Override
  public void close() {
    exec.close();
  }
}
