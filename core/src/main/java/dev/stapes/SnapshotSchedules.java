package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.ScheduledSnapshots;
import dev.stapes.model.StapesException;
import java.time.Instant;
import java.util.Optional;

/**
 * Snapshots that {@code snapshots.schedule} of instances and custom volumes asks for. The library
 * has no clock of its own that would make them: a program calls {@link #runDue} every minute, or
 * when {@link #next} says. The hours are those of the zone of the clock that {@link Stapes} was
 * opened with. Only snapshots {@code @startup} are made by themselves, before {@link
 * Instance#start} and the start of an instance with {@code boot.autostart}.
 */
public final class SnapshotSchedules {
  private final Engine engine;

  SnapshotSchedules(Engine engine) {
    this.engine = engine;
  }

  /**
   * Makes the snapshots that have come due since the last run: one of each, however often it was
   * due; and deletes those whose time has come. Instances that do not run are left out, unless
   * {@code snapshots.schedule.stopped} is set. What fails is tried again by the next run; what was
   * made before an interrupt or a crash is not made again.
   *
   * @throws dev.stapes.model.ScheduledSnapshotsException where some failed, with what was done all
   *     the same
   * @throws StapesException BUSY where another thread is doing so; INTERRUPTED
   */
  public ScheduledSnapshots runDue() {
    return engine.schedules().runDue();
  }

  /**
   * When there is something to do next, now where it is late already, and a minute after the last
   * run where something failed in that; empty: never.
   */
  public Optional<Instant> next() {
    return engine.schedules().next();
  }
}
