package dev.stapes.model;

import java.time.Instant;
import java.util.Optional;

/**
 * What an operation is.
 *
 * @param id unique in the root directory
 * @param action such as {@code instance-create}
 * @param subject what it works on, such as {@code instance web}
 * @param status how far it is
 * @param stage what it does now, such as {@code unpack}; empty before the first
 * @param done units done in the stage
 * @param total units of the stage, -1 where that is not known
 * @param startedAt when
 * @param error the message where it failed
 */
public record OperationInfo(
    long id,
    String action,
    String subject,
    Status status,
    String stage,
    long done,
    long total,
    Instant startedAt,
    Optional<String> error) {
  /** How far an operation is. */
  public enum Status {
    /** Works. */
    RUNNING,
    /** Done. */
    SUCCESS,
    /** Failed and rolled back. */
    FAILURE,
    /** Cancelled and rolled back. */
    CANCELLED
  }
}
