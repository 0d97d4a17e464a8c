package dev.stapes.internal.http;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * Writes a body as it comes, as far as is allowed. Once it was closed nothing is written any more.
 */
final class Sink implements BodySubscriber<Long>, AutoCloseable {
  private final CompletableFuture<Long> whole = new CompletableFuture<>();
  private final Target target;
  private final long most;
  private Flow.@Nullable Subscription subscription;
  private boolean closed;
  private volatile long written;

  /**
   * Nothing has come yet.
   *
   * @param target not touched before {@link #from}
   * @param most bytes that may come
   */
  Sink(Target target, long most) {
    this.target = target;
    this.most = most;
  }

  /** Where a body goes. */
  interface Target {
    /** Goes on after so many bytes; what was behind them goes away. */
    void begin(long at) throws IOException;

    /** Takes all of it. */
    void write(ByteBuffer buffer) throws IOException;
  }

  /** What comes goes on after so many bytes. */
  synchronized Sink from(long at) {
    if (!closed) {
      try {
        target.begin(at);
        written = at;
      } catch (IOException e) {
        whole.completeExceptionally(new Unwritable(e));
      }
    }
    return this;
  }

  /** How many bytes there are. */
  long written() {
    return written;
  }

  /** What is too much. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(long most) {
      super("sends more than the allowed " + most + " bytes");
    }
  }

  /** It has nowhere to go. */
  static final class Unwritable extends IOException {
    private static final long serialVersionUID = 1;

    private final IOException reason;

    Unwritable(IOException reason) {
      super(reason);
      this.reason = reason;
    }

    IOException reason() {
      return reason;
    }
  }

  @Override
  public CompletionStage<Long> getBody() {
    return whole;
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(1);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    Flow.Subscription given = subscription;
    if (given == null) {
      return;
    }
    if (whole.isDone()) {
      given.cancel();
      return;
    }
    try {
      for (ByteBuffer buffer : buffers) {
        write(buffer);
      }
      given.request(1);
    } catch (IOException e) {
      given.cancel();
      whole.completeExceptionally(e);
    }
  }

  private synchronized void write(ByteBuffer buffer) throws IOException {
    if (closed) {
      throw new InterruptedIOException("nobody waits for it any more");
    }
    int length = buffer.remaining();
    if (length > most - written) {
      throw new TooLong(most);
    }
    try {
      target.write(buffer);
    } catch (IOException e) {
      throw new Unwritable(e);
    }
    written = written + length;
  }

  @Override
  public void onError(Throwable e) {
    whole.completeExceptionally(e);
  }

  @Override
  public void onComplete() {
    whole.complete(written);
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}
