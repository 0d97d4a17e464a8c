package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whether file systems are at rest, as an agent tells that answers late, or not at all. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GuestFileSystemsTest {
  private static final String FREEZE = "guest-fsfreeze-freeze";
  private static final String THAW = "guest-fsfreeze-thaw";
  private static final String STATUS = "guest-fsfreeze-status";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration LITTLE = Duration.ofMillis(200);

  @TempDir Path directory;

  private final Deque<ScriptedQemu> agents = new ArrayDeque<>();
  private final Deque<ScriptedQemu> left = new ArrayDeque<>();

  /** Of one connection; the next one is with the next agent. */
  private ScriptedQemu agent() throws IOException, InterruptedException {
    Path own = Files.createDirectory(directory.resolve(Integer.toString(agents.size())));
    ScriptedQemu agent = new ScriptedQemu(own).answer(FREEZE, "1").answer(THAW, "1");
    agents.add(agent);
    left.add(agent);
    return agent;
  }

  private static StapesException silent() {
    return new StapesException(Kind.UNAVAILABLE, "instance vm", "its agent does not answer");
  }

  private QmpClient next() {
    ScriptedQemu next = left.poll();
    if (next == null) {
      throw silent();
    }
    return next.client();
  }

  /** Who does not insist is refused from the second time on. */
  private final class Port implements GuestAgent.AgentPort {
    private boolean tried;

    @Override
    public QmpClient connect() {
      if (tried) {
        throw silent();
      }
      tried = true;
      return next();
    }

    @Override
    public QmpClient connectAnyway() {
      return next();
    }
  }

  private GuestFileSystems guest() {
    return guest(PATIENCE);
  }

  /** Of one that does not answer when it is to freeze them. */
  private GuestFileSystems lateGuest() {
    return guest(LITTLE);
  }

  private GuestFileSystems guest(Duration toFreeze) {
    return new GuestFileSystems(new GuestAgent("instance vm", new Port()), toFreeze, PATIENCE);
  }

  @AfterEach
  void close() throws Exception {
    for (ScriptedQemu agent : agents) {
      agent.close();
    }
  }

  @Test
  void they_come_to_rest_and_go_on() throws Exception {
    ScriptedQemu agent = agent();
    GuestFileSystems guest = guest();
    guest.freeze();
    guest.thaw();
    assertEquals(List.of(FREEZE, THAW), agent.heard());
  }

  @Test
  void an_agent_that_refuses_has_frozen_none() throws Exception {
    ScriptedQemu agent = agent().refuse(FREEZE).answer(STATUS, "\"thawed\"");
    Specs.refused(Kind.UNAVAILABLE, "its agent refuses", guest()::freeze);
    assertEquals(List.of(FREEZE, STATUS), agent.heard());
  }

  @Test
  void one_that_refuses_to_say_so_too_has_frozen_none() throws Exception {
    ScriptedQemu agent = agent().refuse(FREEZE).refuse(STATUS);
    Specs.refused(Kind.UNAVAILABLE, "its agent refuses", guest()::freeze);
    assertEquals(List.of(FREEZE, STATUS), agent.heard());
  }

  /** While they are at rest an agent refuses nearly everything, and that too. */
  @Test
  void one_that_refuses_as_they_are_at_rest_already_has_not_thawed_them() throws Exception {
    ScriptedQemu agent = agent().refuse(FREEZE).answer(STATUS, "\"frozen\"");
    GuestFileSystems guest = guest();
    Specs.refused(Kind.TIMED_OUT, "its file systems may be at rest: ", guest::freeze);
    guest.thaw();
    assertEquals(List.of(FREEZE, STATUS, THAW), agent.heard());
  }

  @Test
  void of_one_that_refuses_and_is_gone_nobody_knows() throws Exception {
    agent().refuse(FREEZE).hangUp(STATUS);
    Specs.refused(Kind.TIMED_OUT, "its file systems may be at rest: ", guest()::freeze);
  }

  @Test
  void one_that_cannot_be_reached_is_asked_for_nothing() {
    Specs.refused(Kind.UNAVAILABLE, "its agent does not answer", guest()::freeze);
  }

  @Test
  void one_that_is_late_takes_it_back_whoever_else_found_it_silent() throws Exception {
    agent().ignore(FREEZE);
    ScriptedQemu there = agent();
    Specs.refused(Kind.UNAVAILABLE, "do not come to rest", lateGuest()::freeze);
    assertEquals(List.of(THAW), there.heard());
  }

  @Test
  void it_is_asked_once_to_take_it_back_and_again_and_again_to_thaw() throws Exception {
    agent().ignore(FREEZE);
    ScriptedQemu gone = agent().hangUp(THAW);
    ScriptedQemu goneAgain = agent().hangUp(THAW);
    ScriptedQemu there = agent();
    GuestFileSystems guest = lateGuest();
    Specs.refused(Kind.TIMED_OUT, "does not answer to " + FREEZE, guest::freeze);
    assertEquals(List.of(THAW), gone.heard());
    assertEquals(List.of(), goneAgain.heard());
    guest.thaw();
    assertEquals(List.of(THAW), goneAgain.heard());
    assertEquals(List.of(THAW), there.heard());
  }

  @Test
  void of_one_that_does_not_answer_any_more_nobody_knows() throws Exception {
    agent().ignore(FREEZE);
    GuestFileSystems guest = lateGuest();
    Specs.refused(Kind.TIMED_OUT, "does not answer to " + FREEZE, guest::freeze);
    ScriptedQemu back = agent();
    guest.thaw();
    assertEquals(List.of(THAW), back.heard());
  }

  @Test
  void of_one_that_has_gone_nobody_knows() throws Exception {
    agent().hangUp(FREEZE);
    Specs.refused(Kind.TIMED_OUT, "its file systems may be at rest: ", guest()::freeze);
  }
}
