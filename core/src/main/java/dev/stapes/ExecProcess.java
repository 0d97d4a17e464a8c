package dev.stapes;

import dev.stapes.internal.engine.ExecService;
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
   *     it was killed; INTERRUPTED, and it was killed too
   */
  public int await() {
    return ExecService.awaitOrKill(exec, spec);
  }

  /**
   * Waits for its end and leaves it alone.
   *
   * @return its exit code; empty where it still runs after the time
   * @throws StapesException INTERRUPTED; the program goes on
   */
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

  /**
   * Sends a signal to it and what it started in its session; it has been sent on return. Does
   * nothing where it has ended.
   *
   * @param number 1 to 64, see signal(7)
   * @throws StapesException INVALID for another number; UNAVAILABLE, TIMED_OUT or INTERRUPTED where
   *     the guest of a virtual machine was not told in time
   */
  public void signal(int number) {
    if (number < 1 || number > 64) {
      throw StapesException.invalid("signal", "must be 1 to 64: " + number);
    }
    exec.signal(number);
  }

  /**
   * Changes the size of its terminal, which it has on return; does nothing without one.
   *
   * @throws StapesException UNAVAILABLE, TIMED_OUT or INTERRUPTED where the guest of a virtual
   *     machine was not told in time
   */
  public void resize(int columns, int rows) {
    exec.resize(new ExecSpec.TerminalSize(columns, rows));
  }

  /** Kills it if it still runs. Idempotent. */
  @Override
  public void close() {
    exec.close();
  }
}
