package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.internal.events.Expectation;
import dev.stapes.model.Event;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.StapesException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;

/** Operations: every change is one. */
public final class Operations {
  private final Engine engine;

  Operations(Engine engine) {
    this.engine = engine;
  }

  /** Those that run, and those that ran lately, newest first. */
  public List<OperationInfo> list() {
    List<OperationInfo> all = engine.operations().list();
    Collections.reverse(all);
    return all;
  }

  /**
   * One that runs, or ran lately.
   *
   * @throws StapesException NOT_FOUND where it is not known, or is none of the last 256 that ended
   */
  public OperationInfo get(long id) {
    return engine
        .operations()
        .find(id)
        .orElseThrow(() -> StapesException.notFound("operation " + id));
  }

  /**
   * Waits for the end of one, however it ends.
   *
   * @return how it ended
   * @throws StapesException NOT_FOUND as {@link #get}; TIMED_OUT, and it goes on; INTERRUPTED, and
   *     it goes on
   */
  public OperationInfo await(long id, Duration limit) {
    try (Expectation end = engine.events().expect(event -> isEnd(event, id))) {
      OperationInfo now = get(id);
      if (now.status() != OperationInfo.Status.RUNNING) {
        return now; // it had ended before anybody looked out for that
      }
      return ((Event.Operation) end.await(limit)).operation();
    }
  }

  private static boolean isEnd(Event event, long id) {
    return event instanceof Event.Operation told
        && told.operation().id() == id
        && told.operation().status() != OperationInfo.Status.RUNNING;
  }

  /**
   * Cancels one: its thread is interrupted, it rolls back and fails with INTERRUPTED.
   *
   * @throws StapesException CONFLICT where it has ended; NOT_FOUND where it is not known
   */
  public void cancel(long id) {
    engine.operations().cancel(id);
  }
}
