package dev.stapes.model;

import java.util.Optional;

/**
 * What a warm pool has and did.
 *
 * @param spec what was asked for, with the size as it is now
 * @param ready how many wait
 * @param starting how many are being started
 * @param taken how many of those that waited were taken, since it was opened
 * @param missed how often none waited, so that one was started while the caller waited
 * @param failure why the last start failed; empty: it did not
 */
public record WarmPoolInfo(
    WarmPoolSpec spec,
    int ready,
    int starting,
    long taken,
    long missed,
    Optional<String> failure) {}
