package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a program in a guest writes. A port has no end: the guest says it on the same port, behind
 * all else, by a word that nobody could know before.
 */
final class ExecOutput extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(ExecOutput.class);
  private static final int CHUNK = 16 << 10;

  private final UnixSocket socket;
  private final InputStream in;
  private final byte[] trailer;
  private final Runnable over;
  private final AtomicBoolean done = new AtomicBoolean();

  /** What was read and not given away, of which the last bytes may be the beginning of the end. */
  private final byte[] held;

  private int from;
  private int to;
  private boolean ended;

  /**
   * That of a program.
   *
   * @param trailer that is its end, 1 to 1000 bytes
   * @param over run once, at its end or when it is closed
   */
  ExecOutput(UnixSocket socket, byte[] trailer, Runnable over) {
    this.socket = socket;
    this.in = socket.fd().input();
    this.trailer = trailer.clone();
    this.held = new byte[CHUNK + trailer.length];
    this.over = over;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public synchronized int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) {
      return 0;
    }
    while (!ended && free() == 0) {
      fill();
    }
    int count = Math.min(length, free());
    if (count == 0) {
      return -1;
    }
    System.arraycopy(held, from, bytes, offset, count);
    from += count;
    return count;
  }

  /** How much is sure to be no part of the end. */
  private int free() {
    return ended ? to - from : to - from - begun();
  }

  private void fill() throws IOException {
    System.arraycopy(held, from, held, 0, to - from);
    to -= from;
    from = 0;
    int count = in.read(held, to, held.length - to);
    if (count < 0) {
      finish(); // it broke off
      return;
    }
    to += count;
    if (begun() == trailer.length) {
      to -= trailer.length;
      finish();
    }
  }

  /** How many of the last bytes are the beginning of the trailer. */
  private int begun() {
    for (int count = Math.min(trailer.length, to - from); count > 0; count--) {
      if (Arrays.equals(held, to - count, to, trailer, 0, count)) {
        return count;
      }
    }
    return 0;
  }

  private void finish() {
    ended = true;
    shutDown();
    if (done.compareAndSet(false, true)) {
      over.run();
    }
  }

  /** No more comes. It may have been closed meanwhile. */
  void shutDown() {
    try {
      if (socket.fd().isOpen()) {
        socket.shutdown();
      }
    } catch (LinuxException | IllegalStateException e) {
      LOG.trace("closed already: {}", e.toString());
    }
  }

  @Override
  public void close() throws IOException {
    try {
      in.close();
    } finally {
      if (done.compareAndSet(false, true)) {
        over.run();
      }
    }
  }
}
