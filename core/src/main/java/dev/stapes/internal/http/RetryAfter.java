package dev.stapes.internal.http;

import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** The header {@code Retry-After} (RFC 9110, 10.2.3): seconds, or a date. */
final class RetryAfter {
  private static final int DIGITS = 9;

  private RetryAfter() {}

  /** How long a server asks to wait; empty where it does not, or says nothing readable. */
  static Optional<Duration> of(HttpHeaders headers) {
    return headers.firstValue("Retry-After").flatMap(text -> read(text.trim(), headers));
  }

  private static Optional<Duration> read(String text, HttpHeaders headers) {
    if (text.matches("[0-9]{1," + DIGITS + "}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    return date(text)
        .flatMap(
            until ->
                headers
                    .firstValue("Date")
                    .flatMap(RetryAfter::date)
                    .map(now -> Duration.between(now, until)))
        .map(length -> length.isNegative() ? Duration.ZERO : length);
  }

  private static Optional<Instant> date(String text) {
    try {
      return Optional.of(Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
