package dev.stapes.linux.btrfs;

import org.jspecify.annotations.Nullable;

/** A send stream that is none, is damaged, ends early, or asks for what is not there. */
public final class BadStreamException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BadStreamException(String problem) {
    this(problem, null);
  }

  BadStreamException(String problem, @Nullable Throwable cause) {
    super(problem, cause);
  }
}
