package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Limit;
import java.io.IOException;
import java.util.Map;

/**
 * Something that runs containers: Stapes or a peer. All of its containers are unprivileged, with
 * seccomp and the {@link Limit}s on.
 */
interface Subject extends AutoCloseable {
  /** Its name in tables and results. */
  String name();

  /** The paths that it does not have, each with the reason. */
  Map<LifecyclePath, String> leftOut();

  /** A container from the image, stopped. */
  Container create(String name) throws IOException, InterruptedException;

  /** The path of that name, in the fewest calls that the subject needs for it. */
  default void cycle(String name) throws IOException, InterruptedException {
    Container container = create(name);
    try {
      container.start();
      container.execTrue();
    } finally {
      container.delete();
    }
  }

  /**
   * Begins to keep containers of the image ready; for those that do not leave that path out.
   *
   * @throws IllegalStateException where it has no such thing
   */
  default WarmPool openWarmPool() throws IOException, InterruptedException {
    throw new IllegalStateException(name() + " has no warm pool");
  }

  /**
   * Whether it works within this JVM, so that its cycles can be run from several threads at once
   * and want to be compiled first.
   */
  default boolean inProcess() {
    return false;
  }

  /**
   * Whether it keeps the kernel's fast path for {@code cgroup.procs} open for a moment after its
   * operations: others would profit if they were measured in that moment.
   */
  default boolean keepsCgroupsWarm() {
    return false;
  }

  /** Ends and removes everything of it. */
  @Override
  void close() throws IOException, InterruptedException;

  /** Containers of the image that run before anybody asks. */
  interface WarmPool extends AutoCloseable {
    /** Returns when as many are ready as are to be. */
    void awaitFull() throws IOException, InterruptedException;

    /** One of them, ready. The caller deletes it. */
    Container checkout(String name) throws IOException, InterruptedException;

    /** Ends those that are ready. */
    @Override
    void close() throws IOException, InterruptedException;
  }
}
