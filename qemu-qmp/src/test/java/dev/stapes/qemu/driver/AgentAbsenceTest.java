package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AgentAbsenceTest {
  private static final Optional<String> NONE = Optional.of("none");

  private final AtomicLong now = new AtomicLong();
  private final AgentAbsence absence = new AgentAbsence(now::get);

  @Test
  void nothing_is_known_of_one_that_nobody_has_waited_for() {
    assertEquals(Optional.empty(), absence.why(false));
    assertEquals(Optional.empty(), absence.why(true));
  }

  @Test
  void nobody_is_there_until_somebody_opens_the_port() {
    absence.nobody("none");
    now.set(Duration.ofDays(1).toNanos());
    assertEquals(NONE, absence.why(false));
    assertEquals(Optional.empty(), absence.why(true));
    absence.changed();
    assertEquals(Optional.empty(), absence.why(false));
  }

  @Test
  void when_the_guest_goes_on_who_was_silent_is_asked_again_and_nobody_waits_for_nobody() {
    absence.nobody("none");
    absence.goesOn();
    assertEquals(NONE, absence.why(false));
    absence.silent("none");
    absence.goesOn();
    assertEquals(Optional.empty(), absence.why(true));
  }

  @Test
  void one_that_was_silent_is_asked_again_after_a_while() {
    absence.silent("none");
    assertEquals(NONE, absence.why(true));
    assertEquals(Optional.empty(), absence.why(false)); // it has gone: one may come
    now.set(Duration.ofSeconds(29).toNanos());
    assertEquals(NONE, absence.why(true));
    now.set(Duration.ofSeconds(30).toNanos());
    assertEquals(Optional.empty(), absence.why(true));
  }
}
