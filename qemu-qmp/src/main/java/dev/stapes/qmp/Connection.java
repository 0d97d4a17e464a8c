package dev.stapes.qmp;

import dev.stapes.linux.Fd;
import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The socket of one client. Whoever has something to say writes it, as far as it fits; the rest is
 * written by the loop when there is room. The loop reads, and for a moment whoever waits for an
 * answer; only the loop closes.
 */
final class Connection {
  private final QmpLoop loop;
  private final UnixSocket socket;
  private final long key;
  private final Receiver receiver;
  private final Deque<Outgoing> outgoing = new ArrayDeque<>(1);
  private final CountDownLatch gone = new CountDownLatch(1);

  /** Held by whoever reads. */
  private final ReentrantLock reading = new ReentrantLock();

  private boolean wantsToWrite;
  private boolean readByCaller;
  private boolean ended;

  Connection(QmpLoop loop, UnixSocket socket, long key, Receiver receiver) {
    this.loop = loop;
    this.socket = socket;
    this.key = key;
    this.receiver = receiver;
  }

  /** What becomes of what is read, on the thread that reads: one at a time. */
  interface Receiver {
    /** It is about to begin: what follows may come before whoever wanted it has it. */
    void begins(Connection connection);

    /** Some bytes, which are others after this. */
    void received(byte[] bytes, int from, int to);

    /** There are no more; on any thread, once. */
    void ended(String why, @Nullable QmpProtocolException cause);
  }

  private record Outgoing(ByteBuffer bytes, @Nullable Fd passed) {
    void close() {
      if (passed != null) {
        passed.close();
      }
    }
  }

  long key() {
    return key;
  }

  UnixSocket socket() {
    return socket;
  }

  /**
   * Sends, now or as soon as there is room. Does nothing once the connection has ended.
   *
   * @param passed goes along with the first byte; a copy is made of it
   */
  void send(byte[] bytes, @Nullable Fd passed) {
    String failure;
    synchronized (this) {
      if (ended) {
        return;
      }
      outgoing.add(
          new Outgoing(ByteBuffer.wrap(bytes), passed == null ? null : passed.duplicate()));
      failure = outgoing.size() == 1 ? write() : null;
    }
    if (failure != null) {
      end(failure, null);
    }
  }

  /** There is room again. */
  void writable() {
    String failure;
    synchronized (this) {
      failure = ended ? null : write();
    }
    if (failure != null) {
      end(failure, null);
    }
  }

  /** Returns what went wrong. */
  private @Nullable String write() {
    try {
      while (!outgoing.isEmpty()) {
        Outgoing next = outgoing.element();
        boolean pass = next.passed() != null && next.bytes().position() == 0;
        int count =
            pass && next.passed() != null
                ? socket.write(next.bytes(), next.passed())
                : socket.write(next.bytes());
        if (next.bytes().hasRemaining()) {
          if (count == 0) {
            break;
          }
        } else {
          outgoing.remove().close();
        }
      }
      boolean wants = !outgoing.isEmpty();
      if (wants != wantsToWrite) {
        wantsToWrite = wants;
        loop.watch(this, !readByCaller, wants);
      }
      return null;
    } catch (LinuxException e) {
      if (!e.is(Errno.EPIPE)) {
        return "writing failed: " + e.errnoName();
      }
      // The other side has closed, but what it said before is still to be read; then it ends.
      outgoing.forEach(Outgoing::close);
      outgoing.clear();
      return null;
    }
  }

  synchronized boolean isOpen() {
    return !ended;
  }

  /** There is something to read; on the loop's thread. */
  void readable(ByteBuffer buffer, byte[] bytes) {
    if (reading.tryLock()) { // else somebody else reads it
      try {
        read(buffer, bytes);
      } finally {
        reading.unlock();
      }
    }
  }

  /**
   * Gives a command and reads until it is answered, where nobody else reads and the answer does not
   * take long. To be waited for anyhow: it may have come to neither.
   */
  void ask(Runnable command, CompletableFuture<?> answer) {
    if (loop.isReader() || !reading.tryLock()) {
      command.run();
      return;
    }
    try {
      OwnReader own = loop.takeOwnReader();
      if (own == null) {
        command.run();
        return;
      }
      try {
        readByCaller(true);
        command.run();
        own.read(this, answer);
      } finally {
        readByCaller(false);
        loop.giveBack(own);
      }
    } finally {
      reading.unlock();
    }
  }

  private synchronized void readByCaller(boolean caller) {
    readByCaller = caller;
    if (!ended) {
      loop.watch(this, !caller, wantsToWrite);
    }
  }

  /** Whether there is something to read within that time, or the end. */
  boolean awaitReadable(int millis) {
    return socket.awaitReadable(millis);
  }

  /** Reads once; for the one who holds the lock. */
  void read(ByteBuffer buffer, byte[] bytes) {
    if (!isOpen()) {
      return;
    }
    int count;
    try {
      count = socket.read(buffer.clear());
    } catch (LinuxException e) {
      end("reading failed: " + e.errnoName(), null);
      return;
    }
    if (count < 0) {
      end("the other side closed the connection", null);
    } else if (count > 0) {
      buffer.flip().get(bytes, 0, count);
      receiver.received(bytes, 0, count);
    }
  }

  /** Ends it, if it has not; on any thread. */
  void end(String why, @Nullable QmpProtocolException cause) {
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      outgoing.forEach(Outgoing::close);
      outgoing.clear();
      socket.shutdown();
    }
    loop.execute(
        () -> {
          reading.lock(); // who reads leaves soon: the socket is shut down
          try {
            loop.forget(this);
            socket.close();
          } finally {
            reading.unlock();
          }
          gone.countDown();
        });
    receiver.ended(why, cause);
  }

  /** Returns when the descriptor is closed, but at once on a thread that reads. */
  void awaitGone() {
    boolean interrupted = false;
    while (!loop.isReader() && !reading.isHeldByCurrentThread()) {
      try {
        gone.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
