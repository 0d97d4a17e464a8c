package dev.stapes.benchmarks.lifecycle;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

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

  /** Containers that run already, or empty. */
  default Optional<WarmPool> warmPool() {
    return Optional.empty();
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
  interface WarmPool {
    /** One of them, ready. The caller deletes it. */
    Container checkout() throws IOException, InterruptedException;
  }
}
