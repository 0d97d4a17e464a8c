package dev.stapes.model;

/** How long an instance lives. */
public enum Lifetime {
  /** Until it is deleted; it outlives the JVM. */
  DURABLE,
  /** Until it stops; it outlives the JVM (Incus's ephemeral). */
  EPHEMERAL,
  /**
   * Until it stops or the JVM that made it ends, even by SIGKILL. Nothing about it is written to
   * the state store.
   */
  THROWAWAY
}
