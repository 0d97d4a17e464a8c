package dev.stapes.internal.http;

import java.net.URI;
import java.time.Duration;

/** Counts how often something was tried. */
final class Attempts {
  private static final int DOUBLINGS = 16;

  private final HttpSettings settings;
  private int failed;

  Attempts(HttpSettings settings) {
    this.settings = settings;
  }

  /** Counts from the beginning: something was gained. */
  void begin() {
    failed = 0;
  }

  /** How long to wait before the next one; throws what the last one has failed with. */
  Duration next(URI uri, HttpFailure failure) {
    failed++;
    Duration asked = failure.after().orElse(Duration.ZERO);
    boolean tooLong = asked.compareTo(settings.longestPause()) > 0;
    if (!failure.isPassing() || failed >= settings.attempts() || tooLong) {
      throw failure.of(uri, failed);
    }
    return failure.after().orElseGet(this::usual);
  }

  private Duration usual() {
    Duration doubled = settings.pause().multipliedBy(1L << Math.min(failed - 1, DOUBLINGS));
    return doubled.compareTo(settings.longestPause()) < 0 ? doubled : settings.longestPause();
  }
}
