package dev.stapes.benchmarks;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A comparison as a program: a signal ends it, and it undoes what it made. */
public final class Program {
  private static final long UNDO_SECONDS = 60;

  private Program() {}

  /** What the program does. */
  @FunctionalInterface
  public interface Work {
    /** Does it; an interrupt ends it. */
    void run() throws IOException, InterruptedException;
  }

  /** Reads the command line. */
  @FunctionalInterface
  public interface Parsing {
    /**
     * Reads it.
     *
     * @throws IllegalArgumentException saying what is wrong
     */
    Work parse(String... arguments);
  }

  /**
   * Runs it, and ends this JVM with 0, 1 where it failed or was interrupted, or 2 where the command
   * line is wrong.
   *
   * @param name in front of complaints
   */
  public static void main(String name, Parsing parsing, String... arguments) {
    Work work;
    try {
      work = parsing.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(name + ": " + e.getMessage());
      System.exit(2);
      return;
    }
    CountDownLatch done = new CountDownLatch(1);
    AtomicBoolean stopping = new AtomicBoolean();
    undoAtExit(name, Thread.currentThread(), stopping, done);
    int code = 1;
    try {
      work.run();
      code = 0;
    } catch (IOException | InterruptedException | RuntimeException e) {
      if (stopping.get()) {
        System.err.println(name + ": interrupted: " + e.getMessage());
      } else {
        throw new IllegalStateException("the comparison failed", e);
      }
    } finally {
      done.countDown();
    }
    System.exit(code);
  }

  /** A signal interrupts the run, which then undoes all that it made. */
  private static void undoAtExit(
      String name, Thread run, AtomicBoolean stopping, CountDownLatch done) {
    Runnable undo =
        () -> {
          stopping.set(done.getCount() > 0);
          run.interrupt();
          try {
            if (!done.await(UNDO_SECONDS, TimeUnit.SECONDS)) {
              System.err.println(name + ": not all could be undone in time");
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    Runtime.getRuntime().addShutdownHook(new Thread(undo, "undo"));
  }
}
