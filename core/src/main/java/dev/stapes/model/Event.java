package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Something that happened. */
public sealed interface Event {
  /** When. */
  Instant at();

  /**
   * Something happened to an instance, snapshot, image, pool or volume.
   *
   * @param at when
   * @param action Incus's name of it, such as {@code instance-started}
   * @param subject what it happened to, such as {@code instance web}
   * @param details such as the reason of a stop; copied
   */
  record Lifecycle(Instant at, String action, String subject, SortedMap<String, String> details)
      implements Event {
    /** Copies. */
    public Lifecycle {
      details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
    }

    /** With some details. */
    public static Lifecycle of(
        Instant at, String action, String subject, Map<String, String> details) {
      return new Lifecycle(at, action, subject, new TreeMap<>(details));
    }
  }

  /**
   * An operation began, went on or ended.
   *
   * @param at when
   * @param operation its state
   */
  record Operation(Instant at, OperationInfo operation) implements Event {}

  /**
   * The listener was too slow and events were dropped before the one that follows.
   *
   * @param at when the first was dropped
   * @param count how many
   */
  record Missed(Instant at, long count) implements Event {}
}
