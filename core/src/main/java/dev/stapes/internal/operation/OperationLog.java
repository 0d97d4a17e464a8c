package dev.stapes.internal.operation;

import dev.stapes.internal.events.EventBus;
import dev.stapes.model.Event;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The operations that run and the last ones that ended. Begin, progress and end of each are
 * published as {@link Event.Operation}. May be used from any thread.
 */
public final class OperationLog {
  /** How many that have ended are remembered. */
  static final int FINISHED = 256;

  private final EventBus events;
  private final InstantSource clock;
  private final LongSupplier ids;
  private final TreeMap<Long, RunningOperation> running = new TreeMap<>();
  private final TreeMap<Long, OperationInfo> finished = new TreeMap<>();

  /**
   * An empty one.
   *
   * @param ids gives each operation its id, growing and unique in the root directory
   */
  public OperationLog(EventBus events, InstantSource clock, LongSupplier ids) {
    this.events = events;
    this.clock = clock;
    this.ids = ids;
  }

  /** What an operation does, with a result. */
  @FunctionalInterface
  public interface Call<T> {
    /** Does it, telling how far it is. */
    T call(Progress progress);
  }

  /** What an operation does. */
  @FunctionalInterface
  public interface Work {
    /** Does it, telling how far it is. */
    void run(Progress progress);
  }

  /** As {@link #call}, without a result. */
  public void run(String action, String subject, Progress listener, Work work) {
    call(
        action,
        subject,
        listener,
        progress -> {
          work.run(progress);
          return subject;
        });
  }

  /**
   * Runs an operation on this thread. It ends as {@link OperationInfo.Status#SUCCESS} when the work
   * returns; as CANCELLED when it throws after {@link #cancel} or throws INTERRUPTED; else as
   * FAILURE. What it throws comes out as it is.
   *
   * @param action such as {@code instance-create}
   * @param subject such as {@code instance web}
   * @param listener is told all progress, as it is made; may be {@link Progress#NONE}
   */
  public <T> T call(String action, String subject, Progress listener, Call<T> work) {
    RunningOperation operation = begin(action, subject, listener);
    T result;
    try {
      result = work.call(operation);
    } catch (RuntimeException | Error e) {
      finish(operation, e);
      throw e;
    }
    finish(operation, null);
    return result;
  }

  private RunningOperation begin(String action, String subject, Progress listener) {
    RunningOperation operation =
        new RunningOperation(
            new RunningOperation.Identity(ids.getAsLong(), action, subject, clock.instant()),
            listener,
            clock,
            this::publish);
    synchronized (this) {
      running.put(operation.id(), operation);
    }
    publish(operation.info());
    return operation;
  }

  private void finish(RunningOperation operation, @Nullable Throwable failure) {
    OperationInfo info = operation.end(failure);
    synchronized (this) {
      running.remove(info.id());
      finished.put(info.id(), info);
      if (finished.size() > FINISHED) {
        finished.pollFirstEntry();
      }
    }
    publish(info);
  }

  private void publish(OperationInfo info) {
    events.publish(new Event.Operation(clock.instant(), info));
  }

  /** All that run and the last that ended, by id. */
  public synchronized List<OperationInfo> list() {
    TreeMap<Long, OperationInfo> all = new TreeMap<>(finished);
    running.forEach((id, operation) -> all.put(id, operation.info()));
    return new ArrayList<>(all.values());
  }

  /** One of {@link #list}. */
  public synchronized Optional<OperationInfo> find(long id) {
    RunningOperation operation = running.get(id);
    return operation != null
        ? Optional.of(operation.info())
        : Optional.ofNullable(finished.get(id));
  }

  /**
   * Interrupts the thread that works in an operation, if it still does. Returns without waiting for
   * its end. An interrupt that the work did not notice is taken back at its end.
   *
   * @throws StapesException NOT_FOUND where it is not known; CONFLICT where it has ended
   */
  public void cancel(long id) {
    RunningOperation operation;
    Optional<OperationInfo> info;
    synchronized (this) {
      operation = running.get(id);
      info = find(id);
    }
    String subject = "operation " + id;
    if (info.isEmpty()) {
      throw StapesException.notFound(subject);
    }
    if (operation == null || !operation.cancel()) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          "cannot be cancelled: has ended: " + info.map(OperationInfo::status).orElseThrow());
    }
  }
}
