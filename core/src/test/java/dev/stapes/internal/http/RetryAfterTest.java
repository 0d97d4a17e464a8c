package dev.stapes.internal.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetryAfterTest {
  private static final String NOW = "Wed, 21 Oct 2026 07:28:00 GMT";

  private static Optional<Duration> of(Map<String, List<String>> headers) {
    return RetryAfter.of(HttpHeaders.of(headers, (name, value) -> true));
  }

  @Test
  void seconds_are_read() {
    assertEquals(Optional.of(Duration.ofSeconds(125)), of(Map.of("Retry-After", List.of(" 125 "))));
  }

  @Test
  void a_date_is_read_against_the_clock_of_the_server() {
    assertEquals(
        Optional.of(Duration.ofSeconds(90)),
        of(Map.of("Date", List.of(NOW), "Retry-After", List.of("Wed, 21 Oct 2026 07:29:30 GMT"))));
    assertEquals(
        Optional.of(Duration.ZERO),
        of(Map.of("Date", List.of(NOW), "Retry-After", List.of("Wed, 21 Oct 2026 07:00:00 GMT"))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "1.5", "soon", "99999999999", NOW})
  void what_cannot_be_read_is_passed_over(String value) {
    assertEquals(Optional.empty(), of(Map.of("Retry-After", List.of(value))));
    assertEquals(Optional.empty(), of(Map.of()));
  }
}
