package dev.stapes.linux.host;

import java.util.ArrayDeque;
import java.util.Deque;

/** Closes what was made on the way to something that then failed, the newest first. */
final class Undo implements AutoCloseable {
  private final Deque<AutoCloseable> made = new ArrayDeque<>();

  /** Adds something, and returns it. */
  <T extends AutoCloseable> T with(T resource) {
    made.push(resource);
    return resource;
  }

  /** All went well: somebody else owns them now. */
  void commit() {
    made.clear();
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    for (AutoCloseable resource : made) {
      try {
        resource.close();
      } catch (Exception e) {
        IllegalStateException left = new IllegalStateException(resource + ": not closed", e);
        if (failure == null) {
          failure = left;
        } else {
          failure.addSuppressed(left);
        }
      }
    }
    made.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
