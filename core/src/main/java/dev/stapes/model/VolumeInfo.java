package dev.stapes.model;

import java.time.Instant;
import java.util.Optional;

/**
 * What a custom volume is.
 *
 * @param pool where it is
 * @param name unique in the pool
 * @param description free text
 * @param size at most so much data; empty: no limit
 * @param usage data in it; empty where the pool does not account it
 * @param createdAt when
 */
public record VolumeInfo(
    String pool,
    String name,
    String description,
    Optional<Size> size,
    Optional<Size> usage,
    Instant createdAt) {}
