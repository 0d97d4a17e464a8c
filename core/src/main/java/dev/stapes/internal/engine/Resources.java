package dev.stapes.internal.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** What belongs to a parent: closed with it, newest first; no error of a close is lost. */
final class Resources implements AutoCloseable {
  private final Deque<AutoCloseable> children = new ArrayDeque<>();
  private boolean closed;

  /** Takes over a child. After the close it is closed at once, and the call fails. */
  synchronized <T extends AutoCloseable> T own(T child) {
    if (closed) {
      IllegalStateException late = new IllegalStateException("closed already");
      closeOne(child, late);
      throw late;
    }
    children.push(child);
    return child;
  }

  @Override
  public void close() {
    Deque<AutoCloseable> all;
    synchronized (this) {
      closed = true;
      all = new ArrayDeque<>(children);
      children.clear();
    }
    closeAll(all);
  }

  /** Closes each of these in order, whatever the others do; throws the first error at the end. */
  static void closeAll(Iterable<? extends AutoCloseable> all) {
    RuntimeException first = null;
    for (AutoCloseable each : all) {
      first = closeOne(each, first);
    }
    if (first != null) {
      throw first;
    }
  }

  private static @Nullable RuntimeException closeOne(
      AutoCloseable child, @Nullable RuntimeException first) {
    try {
      child.close();
      return first;
    } catch (Exception e) {
      if (first != null) {
        first.addSuppressed(e);
        return first;
      }
      return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }
  }
}
