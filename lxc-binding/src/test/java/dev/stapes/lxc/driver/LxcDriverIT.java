package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of a container, and what it is given. */
class LxcDriverIT extends LxcDriverFixture {
  LxcDriverIT() throws IOException {}

  @Test
  void a_graceful_stop_ends_an_image_without_init() throws Exception {
    Machine machine = start(Map.of());
    assertEquals(0, run(machine, "true").code());

    machine.requestShutdown();

    assertEquals(new Machine.Exit("shut down", false), end(machine));
  }

  @Test
  void an_image_with_an_init_runs_it_and_stops_by_it() throws Exception {
    Files.createDirectory(box.root.resolve("sbin"));
    Files.createSymbolicLink(box.root.resolve("sbin/init"), Path.of("../bin/busybox"));
    Files.writeString(
        box.root.resolve("etc/inittab"),
        "::sysinit:/bin/true\n::wait:/bin/sh -c 'echo booted >/told'\n");
    try (Tree tree = box.host.tree(box.root, Tree.Resolution.BENEATH)) {
      tree.mkfifo("told", 0666);
    }
    Machine machine = start(Map.of());

    assertEquals("booted\n", run(machine, "cat", "/told").out());
    Result ps = run(machine, "cat", "/proc/1/cmdline");
    assertTrue(ps.out().contains("init"), ps::out);
    machine.requestShutdown();
    Machine.Exit exit = end(machine);
    assertFalse(exit.reboot());
  }

  @Test
  void a_killed_container_is_removed_even_if_nobody_holds_it_any_more() throws Exception {
    Machine machine = start(Map.of());
    machine.kill();
    machine.close();

    end(machine);
    Machine again = start(Map.of());
    assertEquals(0, run(again, "true").code());
  }

  @Test
  void one_that_has_ended_leaves_no_lock_file_of_liblxc() throws Exception {
    Machine machine = start(Map.of());
    Path locks = Path.of("/run/lxc/lock" + box.scope.runDirectory(), "memory");
    try (Machine.Console console = machine.console()) {
      assertTrue(console.output().available() >= 0);
    }
    String name = container(machine);
    assertTrue(Files.exists(locks.resolve("." + name)), locks.toString());
    machine.kill();
    end(machine);
    Machine again = start(Map.of()); // waits for the rest of the first one
    again.kill();
    end(again);
    box.driver.collect(Set.of());
    assertFalse(Files.exists(locks.resolve("." + name)));
    assertNotEquals(name, container(start(Map.of())));
  }

  @Test
  void a_reboot_is_told_and_not_done() throws Exception {
    Machine machine = start(Map.of());

    Machine.Exec exec = machine.exec(ExecSpec.of("reboot", "-f"));
    assertEquals(new Machine.Exit("rebooted", true), end(machine));
    exec.close();
  }

  @Test
  void a_durable_container_is_found_again() throws Exception {
    Machine.Spec spec = box.spec("durable1", Lifetime.DURABLE, Map.of());
    Machine machine = box.driver.start(spec);
    Machine.Exec old = machine.exec(ExecSpec.of("sleep", "1000"));
    long pid = machine.pid();
    box.reopen();

    Machine again = box.driver.adopt(spec).orElseThrow();
    assertEquals(pid, again.pid());
    assertEquals("uid=0(root) gid=0\n", run(again, "id").out());
    box.driver.collect(Set.of(spec.id()));
    assertEquals(0, run(again, "true").code());
    again.kill();
    assertEquals("killed", end(again).reason());
    old.close();
  }

  @Test
  void a_container_that_nobody_wants_is_collected() throws Exception {
    Machine.Spec spec = box.spec("unwanted", Lifetime.DURABLE, Map.of());
    long pid = box.driver.start(spec).pid();
    box.reopen();

    box.driver.collect(Set.of());

    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (runs(pid)) { // it leaves its cgroup before it counts as ended
      assertTrue(System.nanoTime() < deadline);
    }
    assertEquals(Optional.empty(), box.driver.adopt(spec));
  }

  @Test
  void a_container_is_frozen_and_thawed() throws Exception {
    Machine machine = start(Map.of());
    assertFalse(machine.isFrozen());
    machine.freeze();
    assertTrue(machine.isFrozen());
    assertEquals(InstanceStatus.FROZEN, machine.state().status());
    machine.unfreeze();
    assertEquals(0, run(machine, "true").code());
    machine.freeze();
    machine.kill();
    end(machine);
  }

  @Test
  void usage_and_limits_are_live() throws Exception {
    Machine.Spec spec =
        box.spec(
            "limits01", Lifetime.THROWAWAY, Map.of("limits.memory", "64MiB", "limits.cpu", "1"));
    Machine machine = box.driver.start(spec);

    assertEquals(machine.pid(), machine.state().pid().orElseThrow());
    try (Machine.Exec reader = machine.exec(ExecSpec.of("sh", "-c", "echo here; cat"))) {
      until(reader.stdout(), "here"); // an init that has just begun is alone
      assertTrue(machine.state().processes().orElseThrow() >= 2);
    }
    assertTrue(machine.state().memory().orElseThrow().bytes() > 0);
    assertTrue(machine.state().network().containsKey("lo"));
    machine.update(
        box.spec(
            "limits01",
            Lifetime.THROWAWAY,
            Map.of("limits.memory", "128MiB", "limits.processes", "9")));
    Path memory =
        Path.of(
            "/sys/fs/cgroup/memory/lxc.payload.stapes-"
                + box.scope.tag()
                + "-limits01/memory.limit_in_bytes");
    if (Files.exists(memory)) {
      assertEquals("134217728", Files.readString(memory).strip());
    }
  }

  @Test
  void files_are_those_that_the_container_sees() throws Exception {
    Machine machine = start(Map.of());

    try (Tree tree = machine.files();
        OutputStream out = tree.write("/tmp/file", 0640)) {
      out.write("from outside".getBytes(StandardCharsets.US_ASCII));
    }
    assertEquals("from outside", run(machine, "cat", "/tmp/file").out());
    assertTrue(
        run(machine, "ls", "-ln", "/tmp/file").out().startsWith("-rw-r-----    1 0        0"));
  }

  @Test
  void the_console_has_a_log_an_output_and_an_input() throws Exception {
    Machine machine = start(Map.of());
    run(machine, "sh", "-c", "echo first >/dev/console");

    try (Machine.Console console = machine.console()) {
      awaitLogged(machine, "first");
      InputStream out = console.output();
      run(machine, "sh", "-c", "echo second >/dev/console");
      until(out, "second");
      try (Machine.Exec reader = machine.exec(ExecSpec.of("head", "-n1", "/dev/console"))) {
        console.input().write("typed\n".getBytes(StandardCharsets.US_ASCII));
        console.input().flush();
        assertEquals("typed\n", new String(reader.stdout().readAllBytes(), StandardCharsets.UTF_8));
      }
      machine.kill();
      out.readAllBytes();
    }
  }

  @Test
  void disks_and_devices_appear_inside() throws Exception {
    Path data = Files.createDirectory(box.directory.resolve("data"));
    Files.writeString(data.resolve("file"), "on the host");
    Map<String, Device> devices =
        Map.of(
            "data", Device.disk("/mnt/data", disk -> disk.source(data.toString()).readOnly()),
            "zero", new Device.UnixChar("/dev/zero", "/dev/myzero", 1000, 0, 0600, true),
            "eth0", Device.Nic.p2p());
    Map<String, Machine.Disk> disks =
        Map.of("data", new Machine.Disk(data, Optional.empty(), Device.IoLimits.NONE));
    Machine machine =
        box.driver.start(box.spec("devices1", Lifetime.THROWAWAY, Map.of(), devices, disks));

    assertEquals("on the host", run(machine, "cat", "/mnt/data/file").out());
    assertTrue(run(machine, "ls", "-ln", "/mnt/data/file").out().contains(" 0        0 "));
    assertEquals(1, run(machine, "touch", "/mnt/data/new").code());
    assertTrue(
        run(machine, "ls", "-ln", "/dev/myzero").out().startsWith("crw-------    1 1000     0"));
    assertEquals(
        10,
        run(machine, ExecSpec.builder("head", "-c10", "/dev/myzero").user(1000).build())
            .out()
            .length());
    assertTrue(machine.state().network().containsKey("eth0"));
    machine.kill();
    end(machine);
  }

  @Test
  void a_start_that_fails_says_why_and_leaves_nothing() {
    Map<String, String> bad = Map.of("raw.lxc", "lxc.mount.entry = /not/there mnt none bind 0 0");

    StapesException thrown = assertThrows(StapesException.class, () -> start(bad));

    assertTrue(String.valueOf(thrown.getMessage()).contains("/not/there"), thrown::getMessage);
    assertEquals(Optional.empty(), box.driver.adopt(box.spec("test0001", Lifetime.THROWAWAY, bad)));
  }

  @Test
  void bad_values_are_refused_before_anything_happens() {
    for (Map<String, String> bad :
        List.of(
            Map.of("raw.lxc", "lxc.hook.start = /bin/sh"),
            Map.of("raw.idmap", "nonsense"),
            Map.of("security.syscalls.deny", "a b"),
            Map.of("limits.cpu", "0"))) {
      Machine.Spec spec = box.spec("test0001", Lifetime.THROWAWAY, bad);
      assertThrows(StapesException.class, () -> box.driver.validate(spec), bad::toString);
    }
    Device hiding = Device.disk("/dev/.stapes/x", disk -> disk.source("/tmp"));
    Machine.Spec spec =
        box.spec("test0001", Lifetime.THROWAWAY, Map.of(), Map.of("disk", hiding), Map.of());
    assertThrows(StapesException.class, () -> box.driver.validate(spec));
  }

  /** Waits for the end of all monitors but the one of a container's first process. */
  private static void allEndBut(long init, List<ProcessHandle> monitors) throws Exception {
    List<ProcessHandle> mortal = new ArrayList<>(monitors);
    mortal.remove(ProcessHandle.of(init).orElseThrow().parent().orElseThrow());
    assertEquals(3, mortal.size(), "that of the throwaway one, and two that wait");
    for (ProcessHandle monitor : mortal) {
      monitor.onExit().get(20, TimeUnit.SECONDS);
    }
  }

  /** Starts another JVM, see {@link OtherJvm}. */
  private Process startOther(Path pids, boolean ahead) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                OtherJvm.class.getName(),
                box.directory.toString(),
                box.scope.tag(),
                pids.toString()));
    if (ahead) {
      command.add("ahead");
    }
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(box.directory.resolve("output").toFile())
        .start();
  }

  /** Also those that wait to become somebody's, be they booted or not. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_killed_jvm_takes_throwaway_containers_along_and_leaves_durable_ones(boolean ahead)
      throws Exception {
    Path pids = box.directory.resolve("pids");
    Process jvm = startOther(pids, ahead);
    List<ProcessHandle> monitors;
    try (WatchService changes = box.directory.getFileSystem().newWatchService()) {
      box.directory.register(changes, StandardWatchEventKinds.ENTRY_CREATE);
      while (!Files.exists(pids)) {
        assertTrue(jvm.isAlive(), () -> "the other JVM has ended");
        WatchKey key = changes.poll(1, TimeUnit.SECONDS);
        if (key != null) {
          key.pollEvents();
          key.reset();
        }
      }
    } finally {
      monitors = box.monitors();
      jvm.destroyForcibly().waitFor();
    }
    List<String> numbers = Files.readAllLines(pids);

    Optional<Processes.Handle> throwaway =
        box.host.processes().find(Long.parseLong(numbers.get(1)));
    if (throwaway.isPresent()) {
      throwaway.get().exit().toCompletableFuture().get(20, TimeUnit.SECONDS);
      throwaway.get().close();
    }
    Machine.Spec spec = box.spec("durable1", Lifetime.DURABLE, Map.of());
    allEndBut(Long.parseLong(numbers.get(0)), monitors);
    Machine durable = box.driver.adopt(spec).orElseThrow();
    assertEquals(numbers.get(0), Long.toString(durable.pid()));
    assertEquals(0, run(durable, "true").code());
    box.driver.collect(Set.of(spec.id()));
    assertEquals(0, run(durable, "true").code());
    String name = container(durable);
    assertEquals(
        Set.of("instance-durable1", "lxc.monitor." + name, "lxc.payload." + name, "memory", name),
        box.leftovers().stream()
            .map(path -> path.substring(path.lastIndexOf('/') + 1))
            .filter(path -> !path.equals("run")) // of locks
            .collect(Collectors.toSet()));
    durable.kill();
    end(durable);
  }

  @Test
  void throwaway_containers_end_with_the_driver() throws Exception {
    Machine machine = start(Map.of());
    long pid = machine.pid();
    box.reopen();
    assertFalse(runs(pid));
  }

  @Test
  void who_ends_is_not_in_the_way_of_who_gets_its_cpus() throws Exception {
    List<Machine> ending = new ArrayList<>();
    for (int i = 30; i > 10; i--) { // CPUs are given in the order of ids: each takes the first
      Machine.Spec spec = box.spec("cpus" + i, Lifetime.THROWAWAY, Map.of("limits.cpu", "1"));
      Machine machine = box.driver.start(spec);
      machine.kill();
      ending.add(machine);
    }
    for (Machine machine : ending) {
      end(machine);
    }
  }
}
