package dev.stapes.qmp;

import dev.stapes.linux.Epoll;
import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all clients share: one thread that reads for them, and one that tells their listeners. There
 * are no other threads, however many clients there are. A thread that waits for an answer may read
 * it itself.
 *
 * <p>Thread-safe.
 */
public final class QmpLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QmpLoop.class);
  private static final int BUFFER = 1 << 16;

  private final Syscalls sys;
  private final Epoll epoll;
  private final Map<Long, Connection> connections = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicLong keys = new AtomicLong();
  private final Timers timers = new Timers();
  private final AtomicReference<@Nullable OwnReader> ownReader =
      new AtomicReference<>(new OwnReader());
  private final Dispatcher dispatcher;
  private final Thread reader;
  private boolean closed;
  private volatile boolean stopping;

  private QmpLoop(Syscalls sys, Epoll epoll, ThreadFactory threads) {
    this.sys = sys;
    this.epoll = epoll;
    this.reader = threads.newThread(this::run);
    this.dispatcher = new Dispatcher(threads);
  }

  /** One with daemon threads of its own. */
  public static QmpLoop open() {
    return open(
        Syscalls.system(),
        task -> {
          Thread thread = new Thread(task);
          thread.setDaemon(true);
          return thread;
        });
  }

  /**
   * One with two threads of this factory, which get names that begin with {@code stapes-qmp}.
   *
   * @throws LinuxException if the kernel gives no descriptors
   */
  public static QmpLoop open(Syscalls sys, ThreadFactory threads) {
    QmpLoop loop = new QmpLoop(sys, Epoll.open(sys, "qmp"), threads);
    loop.reader.setName("stapes-qmp-reader");
    loop.reader.start();
    return loop;
  }

  Syscalls syscalls() {
    return sys;
  }

  Dispatcher dispatcher() {
    return dispatcher;
  }

  boolean isReader() {
    return Thread.currentThread() == reader;
  }

  /**
   * Reads from a socket from now on.
   *
   * @param socket closed with the connection, or where this fails
   */
  synchronized Connection add(UnixSocket socket, Connection.Receiver receiver) {
    Connection connection = new Connection(this, socket, keys.incrementAndGet(), receiver);
    try {
      if (closed) {
        throw new IllegalStateException("the QMP loop is closed");
      }
      receiver.begins(connection);
      connections.put(connection.key(), connection);
      epoll.add(socket.fd(), connection.key(), false);
      return connection;
    } catch (RuntimeException e) {
      connections.remove(connection.key());
      socket.close();
      throw e;
    }
  }

  void watch(Connection connection, boolean reading, boolean writing) {
    epoll.change(connection.socket().fd(), connection.key(), reading, writing);
  }

  /** What a thread may read with that waits for its answer; null while another one does. */
  @Nullable OwnReader takeOwnReader() {
    return ownReader.getAndSet(null);
  }

  void giveBack(OwnReader reader) {
    ownReader.set(reader);
  }

  /** Its descriptor is closed next, which takes it out of the epoll. */
  void forget(Connection connection) {
    connections.remove(connection.key());
  }

  /** Runs it soon on the reader's thread. */
  void execute(Runnable task) {
    if (isReader()) {
      task.run();
    } else {
      tasks.add(task);
      epoll.wake();
    }
  }

  /** Runs it on the reader's thread when the time is over. */
  Timers.Timer schedule(Duration timeout, Runnable task) {
    Timers.Timer timer = timers.schedule(timeout, task);
    if (timers.isFirst(timer)) {
      epoll.wake();
    }
    return timer;
  }

  void cancel(Timers.Timer timer) {
    timers.cancel(timer);
  }

  private void run() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    byte[] bytes = new byte[BUFFER];
    while (!stopping || !connections.isEmpty()) {
      try {
        long nanos = timers.run();
        epoll.await(
            nanos, (key, readable, writable) -> ready(key, readable, writable, buffer, bytes));
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
          task.run();
        }
      } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
        LOG.error("reading failed, all connections end: {}", e.getMessage(), e);
        endAll("reading failed: " + e.getMessage());
      }
    }
  }

  private void ready(
      long key, boolean readable, boolean writable, ByteBuffer buffer, byte[] bytes) {
    Connection connection = connections.get(key);
    if (connection == null) {
      return;
    }
    try {
      if (readable) {
        connection.readable(buffer, bytes);
      }
      if (writable) {
        connection.writable();
      }
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      LOG.error("a connection ends: {}", e.getMessage(), e);
      connection.end("reading failed: " + e.getMessage(), null);
    }
  }

  private void endAll(String why) {
    List.copyOf(connections.values()).forEach(connection -> connection.end(why, null));
  }

  /**
   * Closes all clients, tells their listeners so, and joins both threads. A listener that waits for
   * something is interrupted. To be called by neither of them.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    endAll("the QMP loop was closed");
    stopping = true;
    epoll.wake();
    Threads.join(reader);
    dispatcher.close();
    epoll.close();
  }
}
