package dev.stapes.storage.lvm;

import java.io.IOException;

/** What is no stream of a volume, or one that was cut or changed. */
final class BadStreamException extends IOException {
  private static final long serialVersionUID = 1L;

  BadStreamException(String problem) {
    super(problem);
  }

  BadStreamException(String problem, Throwable cause) {
    super(problem, cause);
  }
}
