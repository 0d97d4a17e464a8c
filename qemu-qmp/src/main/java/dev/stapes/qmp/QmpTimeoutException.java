package dev.stapes.qmp;

/**
 * The other side did not answer in time. A command may still be carried out; its answer is dropped.
 */
public final class QmpTimeoutException extends QmpException {
  private static final long serialVersionUID = 1;

  QmpTimeoutException(String message) {
    super(message, null);
  }
}
