package dev.stapes.storage.zfs;

/** What a program of {@link FakeZfs} complains before it ends with 1. */
final class FakeComplaint extends Exception {
  private static final long serialVersionUID = 1L;

  FakeComplaint(String message) {
    super(message);
  }
}
