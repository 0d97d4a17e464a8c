package dev.stapes.qmp;

/** There is nobody to connect to; the cause says why. */
public final class QmpConnectException extends QmpException {
  private static final long serialVersionUID = 1;

  QmpConnectException(String message, Throwable cause) {
    super(message, cause);
  }
}
