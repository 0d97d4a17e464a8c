package dev.stapes.benchmarks.lifecycle;

import java.io.IOException;
import java.util.Optional;

/** A container of a subject. Each verb returns when the subject says that it is done. */
interface Container {
  /** From stopped to ready. */
  void start() throws IOException, InterruptedException;

  /** Executes {@code true} and checks its exit code. */
  void execTrue() throws IOException, InterruptedException;

  /** From running to stopped, by force. */
  void stop() throws IOException, InterruptedException;

  /** Ends it if it runs, by force, and removes all of it; called once. */
  void delete() throws IOException, InterruptedException;

  /** Its copy-on-write root, or empty where the subject has no such thing. */
  default Optional<CopyOnWrite> copyOnWrite() {
    return Optional.empty();
  }

  /** What is done with a copy-on-write root. */
  interface CopyOnWrite {
    /** Keeps it as it is now. */
    void snapshot(String name) throws IOException, InterruptedException;

    /** Removes what {@link #snapshot} made. */
    void deleteSnapshot(String name) throws IOException, InterruptedException;

    /** Puts it back; one that runs runs again afterwards, and is ready. */
    void restore(String name) throws IOException, InterruptedException;

    /** Another container, stopped, with the same root. */
    Container copyTo(String name) throws IOException, InterruptedException;
  }
}
