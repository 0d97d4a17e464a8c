package dev.stapes.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Objects;

/**
 * A pipe that remembers who closed what, whichever thread writes. It holds 64 KiB as the kernel's
 * do, so that a program that nobody reads from waits.
 */
final class FakePipe {
  private static final int CAPACITY = 65536;

  private final byte[] ring = new byte[CAPACITY];
  private int start;
  private int count;
  private boolean writerClosed;
  private boolean readerClosed;
  private boolean readerHeld;
  private boolean writerHeld;

  InputStream input() {
    return new Input();
  }

  OutputStream output() {
    return new Output();
  }

  private synchronized int take(byte[] into, int offset, int length) throws IOException {
    while ((count == 0 && !writerClosed && !readerClosed) || readerHeld) {
      await();
    }
    if (readerClosed) {
      throw new IOException("closed");
    }
    if (count == 0) {
      return -1;
    }
    int taken = Math.min(length, count);
    for (int i = 0; i < taken; i++) {
      into[offset + i] = ring[(start + i) % CAPACITY];
    }
    start = (start + taken) % CAPACITY;
    count -= taken;
    notifyAll();
    return taken;
  }

  private synchronized int put(byte[] from, int offset, int length) throws IOException {
    while ((count == CAPACITY && !writerClosed && !readerClosed) || writerHeld) {
      await();
    }
    if (writerClosed || readerClosed) {
      throw new IOException("Broken pipe");
    }
    int given = Math.min(length, CAPACITY - count);
    for (int i = 0; i < given; i++) {
      ring[(start + count + i) % CAPACITY] = from[offset + i];
    }
    count += given;
    notifyAll();
    return given;
  }

  private synchronized int waiting() {
    return count;
  }

  private void await() throws InterruptedIOException {
    try {
      wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** Lets the reader wait, whatever there is to read, or go on. */
  synchronized void holdReader(boolean held) {
    readerHeld = held;
    notifyAll();
  }

  /** Lets the writer wait, or go on. */
  synchronized void holdWriter(boolean held) {
    writerHeld = held;
    notifyAll();
  }

  synchronized void closeWriter() {
    writerClosed = true;
    notifyAll();
  }

  synchronized void closeReader() {
    readerClosed = true;
    notifyAll();
  }

  private final class Input extends InputStream {
    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, into.length);
      return length == 0 ? 0 : take(into, offset, length);
    }

    @Override
    public int available() {
      return waiting();
    }

    @Override
    public void close() {
      closeReader();
    }
  }

  private final class Output extends OutputStream {
    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, from.length);
      int done = 0;
      while (done < length) {
        done += put(from, offset + done, length - done);
      }
    }

    @Override
    public void close() {
      closeWriter();
    }
  }
}
