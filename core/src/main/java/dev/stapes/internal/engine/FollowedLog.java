package dev.stapes.internal.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A log that is read while it is written: what is there, then what comes, until its writer has
 * ended. It needs no thread: whoever reads looks again a few times a second. Who reads slower than
 * the log turns its files misses what was in those that are gone.
 */
final class FollowedLog extends InputStream {
  private static final long AGAIN_MILLIS = 50;

  private final LogFiles files;
  private final CompletableFuture<Boolean> over = new CompletableFuture<>();
  private final Consumer<FollowedLog> gone;
  private LogFiles.@Nullable Opened open;
  private volatile boolean closed;

  /**
   * From the beginning.
   *
   * @param ended completes when nothing is written any more
   * @param gone is told of the close
   */
  FollowedLog(LogFiles files, CompletionStage<?> ended, Consumer<FollowedLog> gone)
      throws IOException {
    this.files = files;
    this.gone = gone;
    this.open =
        either(files.before(), files.current()); // what is removed now is shown all the same
    var unused = ended.whenComplete((how, failure) -> over.complete(true));
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
      boolean last = over.isDone(); // asked before the read: what was written by then is found
      int count = readNow(into, offset, length);
      if (count > 0) {
        return count;
      }
      if (turn()) {
        continue;
      }
      if (last && !closed) {
        return -1;
      }
      await();
    }
  }

  private int readNow(byte[] into, int offset, int length) throws IOException {
    return open == null ? 0 : open.channel().read(ByteBuffer.wrap(into, offset, length));
  }

  /** Whether there is more to read, in this file or in the next, to which it goes on. */
  private boolean turn() throws IOException {
    if (open == null) {
      open = either(files.before(), files.current());
      return open != null;
    }
    if (LogFiles.key(files.current()).equals(Optional.of(open.key()))) {
      return false;
    }
    if (hasMore(open.channel())) {
      return true; // written to it just before it lost its name
    }
    boolean full = LogFiles.key(files.before()).equals(Optional.of(open.key()));
    LogFiles.Opened next = either(full ? files.current() : files.before(), files.current());
    if (next == null) {
      return false;
    }
    open.channel().close();
    open = next;
    return true;
  }

  private static LogFiles.@Nullable Opened either(Path first, Path second) throws IOException {
    Optional<LogFiles.Opened> found = LogFiles.open(first);
    return found.isPresent() ? found.get() : LogFiles.open(second).orElse(null);
  }

  private static boolean hasMore(SeekableByteChannel channel) throws IOException {
    return channel.position() < channel.size();
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
    over.complete(true);
    gone.accept(this);
    synchronized (this) {
      if (open != null) {
        open.channel().close();
        open = null;
      }
    }
  }
}
