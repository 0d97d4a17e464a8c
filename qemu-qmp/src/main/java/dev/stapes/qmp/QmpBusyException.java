package dev.stapes.qmp;

/** As many commands wait as may: the other side does not keep up. */
public final class QmpBusyException extends QmpException {
  private static final long serialVersionUID = 1;

  QmpBusyException(String message) {
    super(message, null);
  }
}
