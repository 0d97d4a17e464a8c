package dev.stapes.qmp;

import org.jspecify.annotations.Nullable;

/**
 * The connection is closed. Whether a command that was under way was carried out is not known. The
 * cause is a {@link QmpProtocolException} where the other side said what it must not.
 */
public final class QmpClosedException extends QmpException {
  private static final long serialVersionUID = 1;

  private final String reason;

  QmpClosedException(String message, String reason, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** Why, such as {@code the other side closed the connection}. */
  public String reason() {
    return reason;
  }
}
