package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GuestAgentTest {
  private static final List<String> COMMAND = List.of("/bin/true");
  private static final String RUNS = "{\"exited\": false}";

  @TempDir Path directory;

  @Test
  void a_program_has_ended_when_it_was_run() throws IOException, InterruptedException {
    try (ScriptedQemu guest = guest();
        GuestAgent agent = new GuestAgent("instance vm", guest::client)) {
      guest.answer("guest-exec-status", RUNS).answer("guest-exec-status", RUNS);
      guest.answer("guest-exec-status", "{\"exited\": true, \"exitcode\": 1}");
      agent.run(COMMAND, Duration.ofSeconds(30));
      assertEquals(
          List.of("guest-exec", "guest-exec-status", "guest-exec-status", "guest-exec-status"),
          guest.heard());
    }
  }

  @Test
  void a_program_that_does_not_end_is_not_waited_for_without_end()
      throws IOException, InterruptedException {
    try (ScriptedQemu guest = guest();
        GuestAgent agent = new GuestAgent("instance vm", guest::client)) {
      guest.answer("guest-exec-status", RUNS);
      StapesException e =
          assertThrows(StapesException.class, () -> agent.run(COMMAND, Duration.ofMillis(20)));
      assertEquals(StapesException.Kind.TIMED_OUT, e.kind());
    }
  }

  @Test
  void who_waits_for_a_program_can_be_interrupted() throws IOException, InterruptedException {
    try (ScriptedQemu guest = guest();
        GuestAgent agent = new GuestAgent("instance vm", guest::client)) {
      guest.answer("guest-exec-status", RUNS);
      agent.exec(COMMAND); // connects
      Thread.currentThread().interrupt();
      StapesException e =
          assertThrows(StapesException.class, () -> agent.run(COMMAND, Duration.ofSeconds(30)));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void who_waits_between_two_questions_can_be_interrupted()
      throws IOException, InterruptedException {
    try (ScriptedQemu guest = guest();
        GuestAgent agent =
            new GuestAgent(
                "instance vm", guest::client, nanos -> Thread.currentThread().interrupt())) {
      guest.answer("guest-exec-status", RUNS);
      StapesException e =
          assertThrows(StapesException.class, () -> agent.run(COMMAND, Duration.ofSeconds(30)));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
      assertTrue(Thread.interrupted());
      assertEquals(List.of("guest-exec", "guest-exec-status"), guest.heard());
    }
  }

  private ScriptedQemu guest() throws IOException, InterruptedException {
    return new ScriptedQemu(directory).answer("guest-exec", "{\"pid\": 42}");
  }
}
