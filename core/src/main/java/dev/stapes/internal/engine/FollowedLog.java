package dev.stapes.internal.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log that is read while it is written: what is there, then what comes, until its writer has
 * ended. It needs no thread: whoever reads looks again a few times a second. Who reads slower than
 * the log turns its files misses what was in those that are gone.
 *
 * <p>Files turn in one of two ways: the current one gets its other name and another one is begun,
 * or its content is copied to a new file of the other name and then taken out of it.
 */
final class FollowedLog extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(FollowedLog.class);
  private static final long AGAIN_MILLIS = 50;
  private static final int TAIL = 64;

  private final LogFiles files;
  private final CompletableFuture<Optional<Mark>> over = new CompletableFuture<>();
  private final Consumer<FollowedLog> gone;
  private LogFiles.@Nullable Opened open;

  /**
   * What the current file was preceded by when it was begun to be read. It stays open, so that no
   * other file gets its identity.
   */
  private LogFiles.@Nullable Opened preceding;

  /** The last that was read of the file that is open. */
  private byte[] tail = new byte[0];

  private volatile boolean closed;

  /**
   * Where its writer has ended; what is written behind that is somebody else's.
   *
   * @param key of the current file then
   * @param size of it
   * @param before key of what there was before it
   */
  private record Mark(Object key, long size, Optional<Object> before) {}

  /**
   * From the beginning.
   *
   * @param gone is told of the close
   */
  FollowedLog(LogFiles files, Consumer<FollowedLog> gone) throws IOException {
    this.files = files;
    this.gone = gone;
    this.open =
        either(files.before(), files.current()); // what is removed now is shown all the same
  }

  /** Its writer has ended, and nobody writes at this moment. Idempotent. */
  void end() {
    Optional<Mark> mark = Optional.empty();
    try {
      Optional<LogFiles.Opened> last = LogFiles.open(files.current());
      if (last.isPresent()) {
        try (RandomAccessFile file = last.get().file()) {
          mark =
              Optional.of(new Mark(last.get().key(), file.length(), LogFiles.key(files.before())));
        }
      }
    } catch (IOException e) {
      LOG.debug("where the log {} ends is not known", files.current(), e);
    }
    over.complete(mark);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public synchronized int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    while (true) {
      if (closed) {
        throw new IOException("the log is not followed any more");
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new InterruptedIOException("interrupted while the log is followed");
      }
      boolean last = over.isDone(); // asked before the read: what was written by then is found
      int count = readNow(into, offset, length);
      if (count > 0) {
        return count;
      }
      if (turn(last)) {
        continue;
      }
      if (last && !closed) {
        return -1;
      }
      await();
    }
  }

  private int readNow(byte[] into, int offset, int length) throws IOException {
    followCopy();
    if (open == null) {
      return 0;
    }
    long most = Math.min(length, end(open) - open.file().getFilePointer());
    int count = most <= 0 ? 0 : open.file().read(into, offset, (int) most);
    if (count > 0) {
      byte[] both = Arrays.copyOf(tail, tail.length + count);
      System.arraycopy(into, offset, both, tail.length, count);
      tail = Arrays.copyOfRange(both, Math.max(0, both.length - TAIL), both.length);
    }
    return count;
  }

  /** Where the content of the current file was put aside, goes on there, as far as it was read. */
  private void followCopy() throws IOException {
    LogFiles.Opened now = open;
    if (now == null || !LogFiles.key(files.current()).equals(Optional.of(now.key()))) {
      return;
    }
    Optional<Object> before = LogFiles.key(files.before());
    if (before.isEmpty()
        || before.equals(Optional.of(now.key()))
        || before.equals(Optional.ofNullable(preceding).map(LogFiles.Opened::key))) {
      return;
    }
    Optional<LogFiles.Opened> copy = LogFiles.open(files.before());
    if (copy.isPresent()) {
      RandomAccessFile file = copy.get().file();
      file.seek(isAt(file, now.file().getFilePointer()) ? now.file().getFilePointer() : 0);
      now.file().close();
      follow(null);
      go(copy.get());
    }
  }

  /** Whether a file has at some place what was last read. */
  private boolean isAt(RandomAccessFile file, long place) throws IOException {
    if (file.length() < place) {
      return false;
    }
    byte[] there = new byte[tail.length];
    file.seek(place - tail.length);
    file.readFully(there);
    return Arrays.equals(there, tail);
  }

  private void follow(LogFiles.@Nullable Opened before) throws IOException {
    if (preceding != null) {
      preceding.file().close();
    }
    preceding = before;
  }

  private void go(LogFiles.Opened next) {
    open = next;
    tail = new byte[0];
  }

  /** Where reading a file ends now. */
  private long end(LogFiles.Opened file) throws IOException {
    long length = file.file().length();
    Optional<Mark> mark = over.getNow(Optional.empty());
    if (mark.isPresent()
        && (mark.get().key().equals(file.key()) || isCopiedBehindEnd(file, mark.get()))) {
      return Math.min(mark.get().size(), length);
    }
    return length;
  }

  /** Whether a file is the copy of the one in which the writer ended, of a moment after that. */
  private boolean isCopiedBehindEnd(LogFiles.Opened file, Mark mark) throws IOException {
    return !mark.key().equals(file.key())
        && !mark.before().equals(Optional.of(file.key()))
        && LogFiles.key(files.current()).equals(Optional.of(mark.key()))
        && isFull(file);
  }

  /**
   * Whether there is more to read, in this file or in the next, to which it goes on.
   *
   * @param last whether the writer has ended: then only the file where it has may be the next
   */
  private boolean turn(boolean last) throws IOException {
    LogFiles.Opened now = open;
    if (now != null && LogFiles.key(files.current()).equals(Optional.of(now.key()))) {
      return false;
    }
    if (now != null && now.file().getFilePointer() < end(now)) {
      return true; // written to it just before it lost its name
    }
    Optional<Mark> mark = over.getNow(Optional.empty());
    if (now != null && mark.isPresent() && isCopiedBehindEnd(now, mark.get())) {
      return false;
    }
    LogFiles.Opened next = next(now);
    if (next == null) {
      return false;
    }
    if (last && !isOfThisRun(next)) {
      next.file().close();
      return false;
    }
    boolean isBefore = now != null && isFull(now);
    if (now != null && !isBefore) {
      now.file().close();
    }
    follow(isBefore ? now : null);
    go(next);
    return true;
  }

  /** Whether a file is the one where the writer has ended, or was full before that began. */
  private boolean isOfThisRun(LogFiles.Opened file) throws IOException {
    Optional<Object> last = over.getNow(Optional.empty()).map(Mark::key);
    return last.equals(Optional.of(file.key()))
        || (isFull(file) && LogFiles.key(files.current()).equals(last));
  }

  /** The file behind one, or the first that there still is. */
  private LogFiles.@Nullable Opened next(LogFiles.@Nullable Opened now) throws IOException {
    if (now == null || !isFull(now)) {
      return either(files.before(), files.current());
    }
    LogFiles.Opened next = LogFiles.open(files.current()).orElse(null);
    if (next != null && !isFull(now)) { // it has turned meanwhile: there is one between
      next.file().close();
      next = either(files.before(), files.current());
    }
    return next;
  }

  private boolean isFull(LogFiles.Opened file) throws IOException {
    return LogFiles.key(files.before()).equals(Optional.of(file.key()));
  }

  private static LogFiles.@Nullable Opened either(Path first, Path second) throws IOException {
    Optional<LogFiles.Opened> found = LogFiles.open(first);
    return found.isPresent() ? found.get() : LogFiles.open(second).orElse(null);
  }

  private void await() throws IOException {
    try {
      over.get(AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      // look again
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the log is followed");
    } catch (ExecutionException e) {
      throw new IOException("the end of the log is unknown", e);
    }
  }

  /** Ends a read that waits, which fails then. Idempotent. */
  @Override
  public void close() throws IOException {
    closed = true;
    over.complete(Optional.empty());
    gone.accept(this);
    synchronized (this) {
      if (open != null) {
        open.file().close();
        open = null;
      }
      follow(null);
    }
  }
}
