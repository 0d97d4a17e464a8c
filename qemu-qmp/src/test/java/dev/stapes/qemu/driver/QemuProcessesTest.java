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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
import org.junit.jupiter.api.io.TempDir;

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
    return QemuProcesses.of(scope, HostRoot.MACHINE).entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey,
                each -> each.getValue().stream().map(QemuProcesses.Found::pid).toList()));
  }

  @Test
  void machines_are_found_by_the_name_of_their_process() throws IOException {
    assertEquals(Map.of(), QemuProcesses.of(scope, HostRoot.MACHINE));
    long one = start(List.of(), "-name", "guest=" + name("abcd1234") + ",debug-threads=on", "-S");
    long two = start(List.of(), "-S", "-name", "guest=" + name("efgh5678"), "-x");
    assertEquals(Map.of(name("abcd1234"), List.of(one), name("efgh5678"), List.of(two)), pids());
  }

  @Test
  void they_are_looked_for_below_the_root_of_the_host(@TempDir Path root) throws IOException {
    Path process = Files.createDirectories(root.resolve("proc/77"));
    Files.createDirectory(root.resolve("proc/self"));
    String name = name("abcd1234");
    Files.writeString(process.resolve("cmdline"), "qemu\0-name\0guest=" + name + "\0");
    Map<String, List<QemuProcesses.Found>> found = QemuProcesses.of(scope, new HostRoot(root));
    assertEquals(Set.of(name), found.keySet());
    for (List<QemuProcesses.Found> each : found.values()) {
      assertEquals(List.of(77L), each.stream().map(QemuProcesses.Found::pid).toList());
    }
  }

  @Test
  void others_are_not() throws IOException {
    start(List.of(), "-name", "guest=stapes-" + tag + "x-abcd1234");
    start(List.of(), "-name", "guest=" + name("../../etc"));
    start(List.of(), "-name", "guest=" + name(""));
    start(List.of(), "-append", "guest=" + name("abcd1234"));
    start(List.of(), "-name", name("abcd1234"));
    start(List.of(), "-x", "-name");
    assertEquals(Map.of(), QemuProcesses.of(scope, HostRoot.MACHINE));
  }

  @Test
  void one_that_has_ended_is_not() throws Exception {
    start(List.of(), "-name", "guest=" + name("abcd1234"));
    assertTrue(started.get(0).destroyForcibly().waitFor(30, TimeUnit.SECONDS));
    assertEquals(Map.of(), QemuProcesses.of(scope, HostRoot.MACHINE));
  }

  @Test
  @RequiresRoot
  @RequiresTool("setpriv")
  void a_process_of_a_user_of_the_host_is_none_whatever_it_is_called() throws IOException {
    String guest = "guest=" + name("abcd1234");
    start(List.of("setpriv", "--reuid", "65534", "--clear-groups"), "-name", guest);
    assertEquals(Map.of(), QemuProcesses.of(scope, HostRoot.MACHINE));
    long own = new UserIds(tag).of(Specs.of().config());
    long ours = start(List.of("setpriv", "--reuid", own + "", "--clear-groups"), "-name", guest);
    long liar =
        start(List.of("setpriv", "--reuid", own + 1 + "", "--clear-groups"), "-name", guest);
    assertEquals(
        Set.of(new QemuProcesses.Found(ours, own), new QemuProcesses.Found(liar, own + 1)),
        Set.copyOf(QemuProcesses.of(scope, HostRoot.MACHINE).get(name("abcd1234"))));
  }

  private static InstanceState state(long pid, InstanceStatus doing) {
    return VmState.of(HostRoot.MACHINE.process(pid), pid, Instant.EPOCH, doing, new TreeMap<>());
  }

  @Test
  void its_state_is_what_procfs_tells(@TempDir Path process) throws IOException {
    Files.writeString(
        process.resolve("status"), "Name:\tq\nVmHWM:\t    30 kB\nVmRSS:\t    20 kB\n");
    Files.writeString(
        process.resolve("stat"),
        "7 (a name) 1 (of two) S 1 7 7 0 -1 4194560 900 0 0 0 250 75 3 4 20 0 5 0 12345 1 1\n");
    InstanceState state =
        VmState.of(process, 7, Instant.EPOCH, InstanceStatus.RUNNING, new TreeMap<>());
    assertEquals(Duration.ofMillis(3250), state.cpu());
    assertEquals(20 * 1024, state.memory().orElseThrow().bytes());
  }

  @Test
  void its_state_is_that_of_its_process() throws IOException {
    long pid = start(List.of());
    InstanceState state = state(pid, InstanceStatus.FROZEN);
    assertEquals(InstanceStatus.FROZEN, state.status());
    assertEquals(OptionalLong.of(pid), state.pid());
    assertTrue(state.memory().orElseThrow().bytes() > 0);
    assertEquals(InstanceStatus.RUNNING, state(pid, InstanceStatus.RUNNING).status());
  }

  @Test
  void the_state_of_a_process_that_is_gone_cannot_be_read() throws Exception {
    long pid = start(List.of());
    assertTrue(started.get(0).destroyForcibly().waitFor(30, TimeUnit.SECONDS));
    StapesException e =
        assertThrows(StapesException.class, () -> state(pid, InstanceStatus.RUNNING));
    assertEquals(StapesException.Kind.UNAVAILABLE, e.kind());
  }
}
