package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.qemu.QueryStatus;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How an agent is waited for that does not come, with an emulator that says what it is told. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AgentConnectionTest {
  private static final String CLOSED =
      "[{\"label\": \"agent\", \"filename\": \"x\", \"frontend-open\": false}]";

  private static final String OPEN = CLOSED.replace("false", "true");

  @TempDir Path directory;

  private AgentConnection connection(ScriptedQemu qemu, Duration least) {
    return connection(qemu, Instant.EPOCH, least);
  }

  private AgentConnection connection(ScriptedQemu qemu, Instant startedAt, Duration least) {
    VmFiles files = VmFiles.of(Specs.scope(directory, "tag"), Specs.ID);
    return new AgentConnection(qemu.loop(), files, "instance vm", qemu.monitor(), startedAt, least);
  }

  private static void isMissed(AgentConnection connection) {
    Specs.refused(Kind.UNAVAILABLE, "install the package qemu-guest-agent", connection::connect);
  }

  /** The test would time out if each of them waited. */
  @Test
  void it_is_waited_for_once_and_the_others_are_told_at_once() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", CLOSED);
      AgentConnection connection = connection(qemu, Duration.ofSeconds(1));
      for (int i = 0; i < 100; i++) {
        isMissed(connection);
      }
      assertEquals(Collections.nCopies(100, "query-chardev"), qemu.heard());
    }
  }

  @Test
  void it_is_tried_as_soon_as_somebody_has_opened_its_port() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", CLOSED).answer("query-chardev", OPEN);
      AgentConnection connection = connection(qemu, Duration.ofMillis(10));
      isMissed(connection);
      Specs.refused(Kind.UNAVAILABLE, "its agent does not answer", connection::connect);
      Specs.refused(Kind.UNAVAILABLE, "its agent does not answer", connection::connect);
    }
  }

  @Test
  void who_has_it_is_told_when_its_port_is_closed() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", CLOSED);
      qemu.tell("query-chardev", event("other", false));
      CountDownLatch closed = new CountDownLatch(1);
      AgentConnection connection = connection(qemu, Duration.ofMillis(10));
      connection.whenClosed(closed::countDown);
      isMissed(connection);
      assertEquals(1, closed.getCount());
      qemu.tell("query-chardev", event(QemuArguments.AGENT_DEVICE, false));
      isMissed(connection);
      closed.await();
    }
  }

  private static String event(String port, boolean open) {
    return "{\"event\": \"VSERPORT_CHANGE\", \"data\": {\"id\": \""
        + port
        + "\", \"open\": "
        + open
        + "}, \"timestamp\": {\"seconds\": 1, \"microseconds\": 1}}";
  }

  @Test
  void whoever_waits_hears_that_it_comes() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", CLOSED);
      qemu.tell("query-chardev", event(QemuArguments.AGENT_DEVICE, true));
      AgentConnection connection = connection(qemu, Duration.ofMinutes(5));
      Specs.refused(Kind.UNAVAILABLE, "its agent does not answer", connection::connect);
    }
  }

  /** Takes connections at the agent's socket, and closes them: how many there were is counted. */
  private final class SilentAgent implements AutoCloseable {
    private final AtomicInteger asked = new AtomicInteger();
    private final ServerSocketChannel server;
    private final Thread thread = new Thread(this::serve);

    SilentAgent() throws IOException {
      Path socket = VmFiles.of(Specs.scope(directory, "tag"), Specs.ID).agent();
      Files.createDirectories(Objects.requireNonNull(socket.getParent()));
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket));
      thread.start();
    }

    private void serve() {
      try {
        while (true) {
          SocketChannel next = server.accept();
          asked.incrementAndGet();
          next.close();
        }
      } catch (IOException e) {
        return; // it is closed
      }
    }

    void isAsked(int times, Runnable connect) {
      Specs.refused(Kind.UNAVAILABLE, "its agent does not answer", connect);
      assertEquals(times, asked.get());
    }

    @Override
    public void close() throws Exception {
      server.close();
      thread.join();
    }
  }

  @Test
  void one_that_was_silent_is_asked_by_who_must_reach_it_and_after_the_guest_stood_still()
      throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory);
        SilentAgent agent = new SilentAgent()) {
      qemu.answer("query-chardev", OPEN);
      AgentConnection connection = connection(qemu, Duration.ofMillis(10));
      agent.isAsked(1, connection::connect);
      agent.isAsked(1, connection::connect);
      agent.isAsked(2, connection::connectAnyway);
      agent.isAsked(3, connection::connectAnyway);
      agent.isAsked(3, connection::connect);
      connection.goesOn();
      agent.isAsked(4, connection::connect);
    }
  }

  @Test
  void one_that_ran_before_is_not_missing_in_the_image() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", OPEN).answer("query-chardev", CLOSED);
      AgentConnection connection = connection(qemu, Duration.ofMillis(10));
      Specs.refused(Kind.UNAVAILABLE, "its agent does not answer", connection::connect);
      Specs.refused(
          Kind.UNAVAILABLE,
          "the agent that ran in the guest does not run now",
          connection::connect);
    }
  }

  /** One nanosecond is too short for an agent that comes when somebody waits for it. */
  @Test
  void a_guest_that_was_saved_while_it_booted_may_boot() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", CLOSED);
      AgentConnection connection = connection(qemu, Instant.now(), Duration.ofNanos(1));
      GuestAgent agent = new GuestAgent("instance vm", connection);
      Awakening awakening = new Awakening(agent, connection, qemu.monitor());
      awakening.expect("vm", false);
      awakening.tell();
      FutureTask<StapesException> connecting =
          new FutureTask<>(() -> assertThrows(StapesException.class, connection::connect));
      Thread thread = new Thread(connecting);
      thread.start();
      awaitWaitingOrEnded(thread);
      qemu.answer(
          "query-status", "{\"running\": true, \"singlestep\": false, \"status\": \"running\"}");
      qemu.tell("query-status", event(QemuArguments.AGENT_DEVICE, true));
      qemu.monitor().execute(QueryStatus.of());
      String why = connecting.get().toString();
      assertTrue(why.contains("its agent does not answer"), why);
      assertEquals(
          List.of("announce-self", "query-chardev", "query-chardev", "query-status"), qemu.heard());
    }
  }

  /** It waits for the event by now, or does so no more. */
  private static void awaitWaitingOrEnded(Thread thread) {
    while (thread.isAlive()
        && Stream.of(thread.getStackTrace())
            .noneMatch(
                frame ->
                    frame.getClassName().equals(QmpExpectation.class.getName())
                        && frame.getMethodName().equals("await"))) {
      Thread.onSpinWait();
    }
  }

  @Test
  void a_guest_that_was_saved_with_its_agent_has_booted() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-chardev", OPEN)
          .answer("query-chardev", OPEN)
          .answer("query-chardev", CLOSED);
      AgentConnection connection = connection(qemu, Instant.now(), Duration.ofNanos(1));
      GuestAgent agent = new GuestAgent("instance vm", connection);
      Awakening awakening = new Awakening(agent, connection, qemu.monitor());
      awakening.expect("vm", false);
      awakening.tell();
      Specs.refused(Kind.UNAVAILABLE, "does not run now", connection::connect);
    }
  }
}
