package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import java.util.function.Consumer;

/** Nobody waits for a command any more, as its zpool has stopped; it may be done later. */
final class GivenUp extends StapesException {
  private static final long serialVersionUID = 1L;

  private final transient OwnThread<?> work;

  GivenUp(String subject, OwnThread<?> work) {
    super(Kind.UNAVAILABLE, subject, Unkilled.STOPPED);
    this.work = work;
  }

  /**
   * Has somebody told when the command has ended after all, after those who said so before.
   *
   * @param listener told whether it was done
   */
  void afterwards(Consumer<Boolean> listener) {
    work.whenEnded(listener);
  }
}
