package dev.stapes.qmp;

/** The other side said something that is no QMP, or not what its schema says. */
public final class QmpProtocolException extends QmpException {
  private static final long serialVersionUID = 1;

  /** With what was said. */
  public QmpProtocolException(String message) {
    super(message, null);
  }

  /** With what was said, and why it cannot be understood. */
  public QmpProtocolException(String message, Throwable cause) {
    super(message, cause);
  }
}
