package dev.stapes.qmp;

/** A listener that listens. */
public interface QmpSubscription extends AutoCloseable {
  /** Ends it. An event that is just being told is told to its end; there is none after that. */
  @Override
  void close();
}
