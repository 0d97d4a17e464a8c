package dev.stapes.internal.operation;

import dev.stapes.model.OperationInfo;
import dev.stapes.model.OperationInfo.Status;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An operation while it runs, on the thread that made it. */
final class RunningOperation implements Progress {
  private static final Logger log = LoggerFactory.getLogger(RunningOperation.class);

  /** Progress is published at most so often; that of a copy would come thousands of times. */
  static final Duration INTERVAL = Duration.ofMillis(100);

  private final Identity identity;
  private final InstantSource clock;
  private final Consumer<OperationInfo> publisher;
  private final boolean interruptedBefore = Thread.currentThread().isInterrupted();

  // Null once it has ended: the thread then does something else, which nobody cancelled.
  private @Nullable Thread worker = Thread.currentThread();
  private boolean cancelled;
  private Progress listener;
  private OperationInfo info;
  private Instant published;

  /** What never changes. */
  record Identity(long id, String action, String subject, Instant startedAt) {}

  RunningOperation(
      Identity identity,
      Progress listener,
      InstantSource clock,
      Consumer<OperationInfo> publisher) {
    this.identity = identity;
    this.listener = listener;
    this.clock = clock;
    this.publisher = publisher;
    this.published = identity.startedAt();
    this.info = state(Status.RUNNING, "", 0, -1, Optional.empty());
  }

  long id() {
    return identity.id();
  }

  synchronized OperationInfo info() {
    return info;
  }

  @Override
  public void update(String stage, long done, long total) {
    tellListener(stage, done, total);
    OperationInfo news = null;
    synchronized (this) {
      if (worker == null) {
        return;
      }
      info = state(Status.RUNNING, stage, done, total, Optional.empty());
      Instant now = clock.instant();
      // A clock that was set back must not silence it.
      if (Duration.between(published, now).abs().compareTo(INTERVAL) >= 0) {
        published = now;
        news = info;
      }
    }
    if (news != null) {
      publisher.accept(news);
    }
  }

  // A listener is foreign code: what is wrong with it must not fail the operation. It is told no
  // more, for it would fail thousands of times.
  private void tellListener(String stage, long done, long total) {
    try {
      listener.update(stage, done, total);
    } catch (RuntimeException e) {
      listener = Progress.NONE;
      log.warn("operation {}: its listener failed and is told no more", identity.id(), e);
    }
  }

  /** Interrupts the thread; false: it does something else by now. */
  synchronized boolean cancel() {
    if (worker == null) {
      return false;
    }
    cancelled = true;
    worker.interrupt();
    return true;
  }

  /** Ends it, on its thread. */
  synchronized OperationInfo end(@Nullable Throwable failure) {
    worker = null;
    if (cancelled && !interruptedBefore) {
      // The interrupt was for this operation alone: nobody who comes later shall find it.
      Thread.interrupted();
    }
    Status status =
        failure == null
            ? Status.SUCCESS
            : cancelled || isInterrupt(failure) ? Status.CANCELLED : Status.FAILURE;
    Optional<String> error = Optional.ofNullable(failure).map(RunningOperation::message);
    info = state(status, info.stage(), info.done(), info.total(), error);
    return info;
  }

  private OperationInfo state(
      Status status, String stage, long done, long total, Optional<String> error) {
    return new OperationInfo(
        identity.id(),
        identity.action(),
        identity.subject(),
        status,
        stage,
        done,
        total,
        identity.startedAt(),
        error);
  }

  private static boolean isInterrupt(Throwable failure) {
    return failure instanceof StapesException e && e.kind() == StapesException.Kind.INTERRUPTED;
  }

  private static String message(Throwable failure) {
    return failure instanceof StapesException
        ? String.valueOf(failure.getMessage())
        : failure.toString();
  }
}
