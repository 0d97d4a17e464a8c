package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.OperationInfo;
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
   * Cancels one: its thread is interrupted, it rolls back and fails with INTERRUPTED.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where it has ended; NOT_FOUND where it is not
   *     known
   */
  public void cancel(long id) {
    engine.operations().cancel(id);
  }
}
