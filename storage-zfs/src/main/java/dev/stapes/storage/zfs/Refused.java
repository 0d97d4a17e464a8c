package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;

/** A call that has done nothing. It is thrown, so that who gave the call up learns it, too. */
final class Refused extends StapesException {
  private static final long serialVersionUID = 1L;

  private final int error;

  Refused(String subject, int error) {
    super(Kind.INTERNAL, subject, "refused with error " + error);
    this.error = error;
  }

  /** The error number, errno(3). */
  int error() {
    return error;
  }
}
