package dev.stapes.testkit;

import java.io.InputStream;

/** Has nothing, and does something when it is read: what happens in the middle of a transfer. */
public final class EventStream extends InputStream {
  private final Runnable event;

  /**
   * One among others, as of a {@link java.io.SequenceInputStream}.
   *
   * @param event happens with each read, on the thread that reads; what it throws the reader gets
   */
  public EventStream(Runnable event) {
    this.event = event;
  }

  @Override
  public int read() {
    event.run();
    return -1;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) {
    return read();
  }
}
