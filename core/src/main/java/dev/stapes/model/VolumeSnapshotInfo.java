package dev.stapes.model;

import java.time.Instant;
import java.util.Optional;

/**
 * What a snapshot of a custom volume is.
 *
 * @param pool of the volume
 * @param volume whose it is
 * @param name unique in the volume
 * @param description free text
 * @param createdAt when
 * @param expiresAt when it may be deleted; empty: never
 */
public record VolumeSnapshotInfo(
    String pool,
    String volume,
    String name,
    String description,
    Instant createdAt,
    Optional<Instant> expiresAt) {}
