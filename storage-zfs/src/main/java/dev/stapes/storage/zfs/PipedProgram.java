package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Processes.Stdio;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** A program whose input or output is a pipe to this JVM; who closes it early kills it. */
final class PipedProgram implements AutoCloseable {
  private static final int KILL = 9;
  private static final int CHUNK = 128 * 1024;

  /** What a complaint may have, and less than a pipe holds: so nobody waits for it to be read. */
  private static final int COMPLAINT = 4000;

  /** A program that was killed has little left to do. */
  static final Duration TIME_TO_END = Duration.ofMinutes(2);

  /**
   * One that has all its input may have to wait for a slow disk, and for others who write to it.
   */
  private static final Duration TIME_TO_FINISH = Duration.ofDays(1);

  private final Processes.Child child;
  private final String subject;
  private final Consumer<PipedProgram> closed;
  private final CompletableFuture<Integer> exit;

  /** Fails when nobody waits for its end any more. */
  private final CompletableFuture<Integer> givenUp = new CompletableFuture<>();

  private volatile boolean ended;

  /**
   * A program that was started with a pipe for its complaints.
   *
   * @param closed told when it has been closed
   */
  PipedProgram(Processes.Child child, String subject, Consumer<PipedProgram> closed) {
    this.child = child;
    this.subject = subject;
    this.closed = closed;
    this.exit = child.exit().toCompletableFuture().applyToEither(givenUp, code -> code);
  }

  /** Starts a program of the host's PATH. */
  static PipedProgram start(
      Host host, List<String> command, Stdio in, Stdio out, Consumer<PipedProgram> closed) {
    String name = "program " + command.get(0);
    Path program =
        host.programs()
            .find(command.get(0))
            .orElseThrow(() -> new StapesException(Kind.UNAVAILABLE, name, "not found on PATH"));
    List<String> arguments = new ArrayList<>(command);
    arguments.set(0, program.toString());
    Processes.Start start =
        Processes.Start.of(arguments, Map.of("LC_ALL", "C"))
            .streams(in, out, Stdio.pipe())
            .dyingWithHost();
    return new PipedProgram(host.processes().start(start), name, closed);
  }

  /** What it writes, as text. */
  Reader text() {
    return new InputStreamReader(child.stdout(), StandardCharsets.UTF_8);
  }

  /** Kills it, and waits for nothing; does nothing where it has ended. */
  void signal() {
    if (!ended && !child.exit().toCompletableFuture().isDone()) {
      child.signal(KILL);
    }
  }

  /** Does something when it has ended, whoever waits for that; at once where it has. */
  void whenEnded(Runnable listener) {
    var unused = child.exit().whenComplete((code, error) -> listener.run());
  }

  /** Ends the waiting of all who read it, write to it or await it, whether it ends or not. */
  void giveUp(StapesException why) {
    if (givenUp.completeExceptionally(why)) {
      signal();
      child.close();
    }
  }

  private void requireNotGivenUp() {
    if (givenUp.isCompletedExceptionally()) {
      exitCode(Duration.ZERO);
    }
  }

  /** The beginning of what it writes; less than was asked for where it writes no more. */
  byte[] read(int length) throws IOException {
    try {
      return child.stdout().readNBytes(length);
    } catch (IOException e) {
      requireNotGivenUp();
      throw e;
    }
  }

  /** Passes on what it writes. */
  void drain(OutputStream to) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (int count = read(chunk); count >= 0; count = read(chunk)) {
      ensureNotInterrupted();
      to.write(chunk, 0, count);
    }
  }

  private int read(byte[] chunk) throws IOException {
    try {
      return child.stdout().read(chunk);
    } catch (IOException e) {
      requireNotGivenUp();
      throw e;
    }
  }

  /**
   * Gives it a stream to read, to the end or until it reads no more: then it says why when it is
   * awaited.
   *
   * @throws IOException where the stream cannot be read
   */
  void feed(InputStream from) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (int count = from.read(chunk); count >= 0; count = from.read(chunk)) {
      ensureNotInterrupted();
      if (!take(chunk, count)) {
        return;
      }
    }
  }

  /** Gives it bytes to read; false where it reads no more. */
  boolean take(byte[] bytes, int count) {
    try {
      child.stdin().write(bytes, 0, count);
      return true;
    } catch (IOException | RuntimeException e) {
      return false; // EPIPE: its exit code and its complaint say more
    }
  }

  private void ensureNotInterrupted() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted and killed");
    }
  }

  /**
   * Waits until it has cleaned up after it was killed; who awaits it finds out.
   *
   * @throws StapesException TIMED_OUT, INTERRUPTED
   */
  void awaitEnd(Duration patience) {
    exitCode(patience);
  }

  /**
   * Waits for its end; there is nothing more to read for it.
   *
   * @throws StapesException INTERNAL where its exit code is not 0, with what it complained;
   *     INTERRUPTED, TIMED_OUT; that of {@link #giveUp}
   */
  void await() {
    try {
      child.stdin().close();
    } catch (IOException e) {
      requireNotGivenUp();
      throw new StapesException(Kind.INTERNAL, subject, "its input is not closed", e);
    }
    int code = exitCode(TIME_TO_FINISH);
    ended = true;
    if (code != 0) {
      String complaint = complaint();
      throw new StapesException(
          Kind.INTERNAL,
          subject,
          "exit code " + code + (complaint.isEmpty() ? "" : ": " + complaint));
    }
  }

  private int exitCode(Duration patience) {
    try {
      return exit.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted and killed", e);
    } catch (TimeoutException e) {
      String problem = "not done after " + patience.toSeconds() + " s";
      throw new StapesException(Kind.TIMED_OUT, subject, problem, e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StapesException why) {
        throw new StapesException(why.kind(), subject, String.valueOf(why.getMessage()), why);
      }
      throw new StapesException(Kind.INTERNAL, subject, "its end was missed", e);
    }
  }

  private String complaint() {
    try {
      byte[] bytes = child.stderr().readNBytes(COMPLAINT);
      return new String(bytes, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return "its complaint cannot be read: " + e.getMessage();
    }
  }

  /** Who is interrupted waits for the end of what was killed all the same: it cleans up. */
  @Override
  public void close() {
    boolean interrupted = !ended && Thread.interrupted();
    try (child) {
      if (!ended) {
        signal();
        exitCode(TIME_TO_END);
      }
    } finally {
      ended = true;
      closed.accept(this);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
