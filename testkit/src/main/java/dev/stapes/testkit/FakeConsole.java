package dev.stapes.testkit;

import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/** The console of a fake machine: a log in a file, and whoever listens. */
final class FakeConsole {
  private static final int LOG = 1 << 20;

  private final FakePipe typed;
  private final Path log;
  private final boolean kept;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private boolean ended;

  /**
   * A console.
   *
   * @param typed where what is typed goes
   * @param log the file, made with the first that is written
   * @param kept whether the log stays after the end
   */
  FakeConsole(FakePipe typed, Path log, boolean kept) {
    this.typed = typed;
    this.log = log;
    this.kept = kept;
  }

  OutputStream writer() {
    return new OutputStream() {
      @Override
      public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        append(Arrays.copyOfRange(bytes, offset, offset + length));
      }
    };
  }

  private synchronized void append(byte[] bytes) {
    if (!ended) {
      try {
        Files.createDirectories(log.resolveSibling(""));
        if (Files.exists(log) && Files.size(log) + bytes.length > LOG) {
          Files.move(log, before(), StandardCopyOption.REPLACE_EXISTING);
        }
        Files.write(log, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException e) {
        // A log that cannot be written stops nobody.
      }
    }
    listeners.forEach(listener -> listener.offer(bytes));
  }

  private Path before() {
    return log.resolveSibling(log.getFileName() + ".1");
  }

  synchronized void end() {
    ended = true;
    if (!kept) {
      try {
        Files.deleteIfExists(log);
        Files.deleteIfExists(before());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    listeners.forEach(Listener::end);
  }

  synchronized Machine.Console open() {
    Listener listener = new Listener();
    if (ended) {
      listener.end();
    }
    listeners.add(listener);
    return new Opened(listener);
  }

  private final class Opened implements Machine.Console {
    private final Listener listener;

    Opened(Listener listener) {
      this.listener = listener;
    }

    @Override
    public InputStream output() {
      return listener;
    }

    @Override
    public OutputStream input() {
      return new OutputStream() {
        private final OutputStream pipe = typed.output();

        @Override
        public void write(int value) throws IOException {
          pipe.write(value);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          pipe.write(bytes, offset, length);
        }
        // Closing it hangs up nobody: a console outlives who types on it.
      };
    }

    @Override
    public void close() {
      listeners.remove(listener);
      listener.end();
    }
  }

  /** Never lets the machine wait: what nobody reads is kept. */
  private static final class Listener extends InputStream {
    private final ArrayDeque<byte[]> pending = new ArrayDeque<>();
    private int offset;
    private boolean over;

    synchronized void offer(byte[] bytes) {
      if (bytes.length > 0) {
        pending.add(bytes);
        notifyAll();
      }
    }

    synchronized void end() {
      over = true;
      notifyAll();
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public synchronized int read(byte[] into, int at, int length) throws IOException {
      Objects.checkFromIndexSize(at, length, into.length);
      while (pending.isEmpty() && !over) {
        try {
          wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new java.io.InterruptedIOException("interrupted");
        }
      }
      byte[] first = pending.peek();
      if (first == null) {
        return -1;
      }
      int count = Math.min(length, first.length - offset);
      System.arraycopy(first, offset, into, at, count);
      offset += count;
      if (offset == first.length) {
        pending.poll();
        offset = 0;
      }
      return count;
    }
  }
}
