package dev.stapes.qmp;

/** Gives events their types. */
@FunctionalInterface
public interface QmpEventDecoder {
  /**
   * The same event as its own type, or as it is where it has none. Quick, and without any effect:
   * it runs on the thread that reads for all clients. An event of which it throws stays raw.
   *
   * @throws QmpProtocolException where it is not what the schema says
   */
  QmpEvent decode(RawEvent event);
}
