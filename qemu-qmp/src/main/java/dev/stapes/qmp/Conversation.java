package dev.stapes.qmp;

/** Which command is sent when, and which answer belongs to it. Thread-safe. */
interface Conversation extends Connection.Receiver {
  /**
   * Sends a command as soon as its turn comes.
   *
   * @throws QmpBusyException where too many wait
   * @throws QmpClosedException where the connection has ended
   */
  void submit(Request request);

  /** Nobody waits for a command any more; what is answered to it is dropped. */
  void abandon(Request request);
}
