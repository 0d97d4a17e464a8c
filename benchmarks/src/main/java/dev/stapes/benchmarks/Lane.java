package dev.stapes.benchmarks;

import java.io.IOException;

/** One subject on one path: only {@link #run} is timed. */
public interface Lane extends AutoCloseable {
  /** What the next run needs. */
  default void before() throws IOException, InterruptedException {}

  /** What is measured. */
  void run() throws IOException, InterruptedException;

  /** Removes what the run made. */
  default void after() throws IOException, InterruptedException {}

  /** Removes what all runs shared, and what a failed one left. */
  @Override
  default void close() throws IOException, InterruptedException {}
}
