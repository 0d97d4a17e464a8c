package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an instance is.
 *
 * @param id fixed
 * @param name may change
 * @param type container or virtual machine
 * @param status at the time of the call
 * @param description free text
 * @param lifetime how long it lives
 * @param imageFingerprint of the image it was made from; empty: none
 * @param pool where its root disk is
 * @param config as it was set
 * @param devices with the root disk; copied
 * @param createdAt when
 * @param lastStartedAt when it was last started; empty: never
 * @param revision changes with each change of the record, for optimistic updates
 */
public record InstanceInfo(
    InstanceId id,
    String name,
    InstanceType type,
    InstanceStatus status,
    String description,
    Lifetime lifetime,
    Optional<String> imageFingerprint,
    String pool,
    Config config,
    SortedMap<String, Device> devices,
    Instant createdAt,
    Optional<Instant> lastStartedAt,
    long revision) {
  /** The config key that says how it ended the last time. */
  public static final String EXIT_REASON = "volatile.last_state.reason";

  /** The config key with the exit code of its first program. */
  public static final String EXIT_CODE = "volatile.last_state.exit_code";

  /** The config key with the id of the memory that was saved when it was stopped. */
  public static final String STATE = "volatile.state";

  /** Copies. */
  public InstanceInfo {
    devices = Collections.unmodifiableSortedMap(new TreeMap<>(devices));
  }

  /**
   * How it ended the last time that it was not killed by force; empty where it never did, or nobody
   * was there to see it.
   */
  public Optional<Exit> lastExit() {
    return config
        .text(EXIT_REASON)
        .map(
            reason ->
                new Exit(
                    reason,
                    config
                        .text(EXIT_CODE)
                        .map(code -> OptionalInt.of(Integer.parseInt(code)))
                        .orElseGet(OptionalInt::empty)));
  }

  /** Whether it is stopped with its memory saved, and goes on from there when it is started. */
  public boolean stateful() {
    return config.text(STATE).isPresent();
  }

  /**
   * How an instance ended.
   *
   * @param reason in words
   * @param code exit code of its first program as a shell reports it, where it is known
   */
  public record Exit(String reason, OptionalInt code) {}
}
