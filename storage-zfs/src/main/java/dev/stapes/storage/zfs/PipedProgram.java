package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
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

  /** A program that has all its input, or was killed, has little left to do. */
  private static final long SECONDS_TO_END = 120;

  private final Processes.Child child;
  private final String subject;
  private final Consumer<PipedProgram> closed;
  private boolean ended;

  /**
   * A program that was started with a pipe for its complaints.
   *
   * @param closed told when it has been closed
   */
  PipedProgram(Processes.Child child, String subject, Consumer<PipedProgram> closed) {
    this.child = child;
    this.subject = subject;
    this.closed = closed;
  }

  /** The beginning of what it writes; less than was asked for where it writes no more. */
  byte[] read(int length) throws IOException {
    return child.stdout().readNBytes(length);
  }

  /** Passes on what it writes. */
  void drain(OutputStream to) throws IOException {
    InputStream from = child.stdout();
    byte[] chunk = new byte[CHUNK];
    for (int count = from.read(chunk); count >= 0; count = from.read(chunk)) {
      ensureNotInterrupted();
      to.write(chunk, 0, count);
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

  /** Ends it now, and waits until it has cleaned up; who awaits it finds out. */
  void kill() {
    child.signal(KILL);
    exitCode();
  }

  /**
   * Waits for its end; there is nothing more to read for it.
   *
   * @throws StapesException INTERNAL where its exit code is not 0, with what it complained;
   *     INTERRUPTED, TIMED_OUT
   */
  void await() {
    try {
      child.stdin().close();
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, subject, "its input is not closed", e);
    }
    int code = exitCode();
    ended = true;
    if (code != 0) {
      String complaint = complaint();
      throw new StapesException(
          Kind.INTERNAL,
          subject,
          "exit code " + code + (complaint.isEmpty() ? "" : ": " + complaint));
    }
  }

  private int exitCode() {
    try {
      return child.exit().toCompletableFuture().get(SECONDS_TO_END, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted and killed", e);
    } catch (TimeoutException e) {
      String problem = "not done after " + SECONDS_TO_END + " s";
      throw new StapesException(Kind.TIMED_OUT, subject, problem, e);
    } catch (ExecutionException e) {
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
        kill();
      }
    } finally {
      closed.accept(this);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
