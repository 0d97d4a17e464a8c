package dev.stapes.qmp;

import java.time.Instant;

/** Something that the other side tells without being asked. */
public interface QmpEvent {
  /** Its name in the protocol, such as {@code SHUTDOWN}. */
  String eventName();

  /** When, by the clock of the other side. */
  Instant at();
}
