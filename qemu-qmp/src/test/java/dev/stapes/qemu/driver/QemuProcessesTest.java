package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class QemuProcessesTest {
  private final String tag = "t" + ProcessHandle.current().pid();
  private final Scope scope = Specs.scope(Path.of("/nowhere"), tag);
  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void end() throws InterruptedException {
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
  }

  /** A process that has a command line such as QEMU's, which a shell keeps as long as it waits. */
  private long start(List<String> before, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(before);
    command.addAll(List.of("sh", "-c", "echo up; read line; exit", "qemu"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).start();
    started.add(process);
    assertEquals('u', process.getInputStream().read());
    return process.pid();
  }

  private String name(String id) {
    return "stapes-" + tag + "-" + id;
  }

  private Map<String, List<Long>> pids() {
    return QemuProcesses.of(scope).entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey,
                each -> each.getValue().stream().map(QemuProcesses.Found::pid).toList()));
  }

  @Test
  void machines_are_found_by_the_name_of_their_process() throws IOException {
    assertEquals(Map.of(), QemuProcesses.of(scope));
    long one = start(List.of(), "-name", "guest=" + name("abcd1234") + ",debug-threads=on", "-S");
    long two = start(List.of(), "-S", "-name", "guest=" + name("efgh5678"), "-x");
    assertEquals(Map.of(name("abcd1234"), List.of(one), name("efgh5678"), List.of(two)), pids());
  }

  @Test
  void others_are_not() throws IOException {
    start(List.of(), "-name", "guest=stapes-" + tag + "x-abcd1234");
    start(List.of(), "-name", "guest=" + name("../../etc"));
    start(List.of(), "-name", "guest=" + name(""));
    start(List.of(), "-append", "guest=" + name("abcd1234"));
    start(List.of(), "-name", name("abcd1234"));
    start(List.of(), "-x", "-name");
    assertEquals(Map.of(), QemuProcesses.of(scope));
  }

  @Test
  void one_that_has_ended_is_not() throws Exception {
    start(List.of(), "-name", "guest=" + name("abcd1234"));
    assertTrue(started.get(0).destroyForcibly().waitFor(30, TimeUnit.SECONDS));
    assertEquals(Map.of(), QemuProcesses.of(scope));
  }

  @Test
  @RequiresRoot
  @RequiresTool("setpriv")
  void a_process_of_a_user_of_the_host_is_none_whatever_it_is_called() throws IOException {
    String guest = "guest=" + name("abcd1234");
    start(List.of("setpriv", "--reuid", "65534", "--clear-groups"), "-name", guest);
    assertEquals(Map.of(), QemuProcesses.of(scope));
    long own = new UserIds(tag).of(Specs.of().config());
    long ours = start(List.of("setpriv", "--reuid", own + "", "--clear-groups"), "-name", guest);
    long liar =
        start(List.of("setpriv", "--reuid", own + 1 + "", "--clear-groups"), "-name", guest);
    assertEquals(
        Set.of(new QemuProcesses.Found(ours, own), new QemuProcesses.Found(liar, own + 1)),
        Set.copyOf(QemuProcesses.of(scope).get(name("abcd1234"))));
  }

  @Test
  void its_state_is_that_of_its_process() throws IOException {
    long pid = start(List.of());
    InstanceState state = VmState.of(pid, Instant.EPOCH, InstanceStatus.FROZEN, new TreeMap<>());
    assertEquals(InstanceStatus.FROZEN, state.status());
    assertEquals(OptionalLong.of(pid), state.pid());
    assertTrue(state.memory().orElseThrow().bytes() > 0);
    assertEquals(
        InstanceStatus.RUNNING,
        VmState.of(pid, Instant.EPOCH, InstanceStatus.RUNNING, new TreeMap<>()).status());
  }

  @Test
  void the_state_of_a_process_that_is_gone_cannot_be_read() throws Exception {
    long pid = start(List.of());
    assertTrue(started.get(0).destroyForcibly().waitFor(30, TimeUnit.SECONDS));
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> VmState.of(pid, Instant.EPOCH, InstanceStatus.RUNNING, new TreeMap<>()));
    assertEquals(StapesException.Kind.UNAVAILABLE, e.kind());
  }
}
