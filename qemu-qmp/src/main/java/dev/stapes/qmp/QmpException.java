package dev.stapes.qmp;

import org.jspecify.annotations.Nullable;

/** A failure of a QMP connection or command; what it is, its subclass says. */
public abstract class QmpException extends RuntimeException {
  private static final long serialVersionUID = 1;

  QmpException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
