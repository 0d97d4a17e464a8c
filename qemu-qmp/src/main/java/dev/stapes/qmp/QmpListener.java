package dev.stapes.qmp;

/**
 * Hears events of one client, in their order, on the one thread that serves all listeners of a
 * {@link QmpLoop}: one that takes long makes the others wait.
 *
 * @param <E> which events
 */
@FunctionalInterface
public interface QmpListener<E extends QmpEvent> {
  /** An event. What this throws is logged. */
  void event(E event);

  /**
   * So many events were lost here because this listener was too slow.
   *
   * @param count since the last time
   */
  default void missed(long count) {}

  /** The connection has ended, and this is the last call. */
  default void ended(QmpClosedException why) {}
}
