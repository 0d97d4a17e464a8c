package dev.stapes.internal.engine;

import dev.stapes.internal.events.EventBus;
import dev.stapes.internal.events.Subscription;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** Waits for what changes only with an event. */
final class EventWait {
  private final EventBus events;

  EventWait(EventBus events) {
    this.events = events;
  }

  /** Waits until something holds. */
  void until(String subject, BooleanSupplier holds, String what, Duration limit) {
    CompletableFuture<Boolean> held = new CompletableFuture<>();
    try (Subscription subscription = events.subscribe(event -> completeIf(held, holds))) {
      completeIf(held, holds); // it may hold already
      held.get(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new StapesException(Kind.TIMED_OUT, subject, "not " + what + " after " + limit, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "the waiting thread was interrupted", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof StapesException known
          ? known
          : new StapesException(Kind.INTERNAL, subject, "waiting failed", e);
    }
  }

  private static void completeIf(CompletableFuture<Boolean> held, BooleanSupplier holds) {
    try {
      if (holds.getAsBoolean()) {
        held.complete(true);
      }
    } catch (StapesException e) {
      held.completeExceptionally(e);
    }
  }
}
