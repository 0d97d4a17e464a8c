package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@Timeout(60)
class LxcDriverIT {
  private static final Duration LONG = Duration.ofSeconds(20);

  private final TestBox box;

  LxcDriverIT() throws IOException {
    box = TestBox.open();
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    box.reopen();
    box.driver.collect(Set.of());
    box.driver.close();
    List<String> left = box.leftovers();
    box.close();
    assertEquals(List.of(), left);
  }

  private record Result(int code, String out, String err) {}

  private static Result run(Machine machine, ExecSpec spec) throws Exception {
    try (Machine.Exec exec = machine.exec(spec)) {
      exec.stdin().close();
      String out = new String(exec.stdout().readAllBytes(), StandardCharsets.UTF_8);
      String err = new String(exec.stderr().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(exec.await(LONG).orElseThrow(), out, err);
    }
  }

  private static Result run(Machine machine, String... command) throws Exception {
    return run(machine, ExecSpec.of(command));
  }

  private Machine start(Map<String, String> config) {
    return box.driver.start(box.spec("test0001", Lifetime.THROWAWAY, config));
  }

  private static Machine.Exit end(Machine machine) throws Exception {
    return machine.exit().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @Test
  void a_program_runs_unprivileged_and_confined() throws Exception {
    Machine machine = start(Map.of("limits.memory", "64MiB", "limits.processes", "50"));

    Result id = run(machine, "id");
    assertEquals(new Result(0, "uid=0(root) gid=0\n", ""), id);
    String status = run(machine, "cat", "/proc/self/status").out();
    assertTrue(status.contains("Seccomp:\t2"), status);
    // Signals 32 and 33 are the C library's own.
    assertTrue(
        status.matches("(?s).*SigIgn:\t0000000[01]80000000\n.*")
            || status.contains("SigIgn:\t0000000000000000"),
        status);
    assertTrue(run(machine, "cat", "/proc/self/uid_map").out().contains(" 1000000 "));
    assertEquals("box\n", run(machine, "cat", "/proc/sys/kernel/hostname").out());
    String own = Files.readString(Path.of("/proc/" + machine.pid() + "/cgroup"));
    assertTrue(own.contains("lxc.payload.stapes-" + box.scope.tag() + "-test0001"), own);
    machine.kill();
    assertEquals("killed", end(machine).reason());
    assertEquals(
        Optional.empty(), box.driver.adopt(box.spec("test0001", Lifetime.THROWAWAY, Map.of())));
  }

  @Test
  void exit_codes_are_those_of_a_shell() throws Exception {
    Machine machine = start(Map.of());

    assertEquals(new Result(0, "", ""), run(machine, "true"));
    assertEquals(1, run(machine, "false").code());
    assertEquals(42, run(machine, "sh", "-c", "exit 42").code());
    assertEquals(137, run(machine, "sh", "-c", "kill -9 $$").code());
    assertEquals(143, run(machine, "sh", "-c", "kill -15 $$").code());
    assertEquals(new Result(127, "", "nope: not found\n"), run(machine, "nope"));
    assertEquals(127, run(machine, "/nope").code());
    assertEquals(126, run(machine, "/etc/passwd").code());
    assertEquals(127, run(machine, ExecSpec.builder("/nope").user(1000).build()).code());
    assertEquals(
        new Result(126, "", "cannot enter /nope\n"),
        run(machine, ExecSpec.builder("true").directory("/nope").build()));
  }

  @Test
  void the_environment_is_the_one_that_was_asked_for() throws Exception {
    Machine machine = start(Map.of());
    ExecSpec spec =
        ExecSpec.builder("env")
            .environment("A", "it's $HOME\nline")
            .environment("PWD", "mine")
            .environment("_odd", "o")
            .build();

    assertEquals(
        Set.of(
            "HOME=/root",
            "LANG=C.UTF-8",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "USER=root",
            "A=it's $HOME",
            "line",
            "PWD=mine",
            "_odd=o"),
        Set.copyOf(run(machine, spec).out().lines().toList()));
    assertEquals("/root\n", run(machine, "readlink", "/proc/self/cwd").out());
    assertEquals(
        "/mnt\n",
        run(machine, ExecSpec.builder("readlink", "/proc/self/cwd").directory("/mnt").build())
            .out());
  }

  @Test
  void users_have_their_group_home_and_no_more() throws Exception {
    Machine machine = start(Map.of());

    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "id; readlink /proc/$$/cwd; echo $HOME >/dev/stdout")
            .user(1000)
            .build();
    assertEquals("uid=1000(user) gid=1001\n/tmp\n/tmp\n", run(machine, spec).out());
    assertEquals(
        "uid=7 gid=9\n", run(machine, ExecSpec.builder("id").user(7).group(9).build()).out());
    assertThrows(
        StapesException.class,
        () -> machine.exec(ExecSpec.builder("id").user(4_000_000_000L).build()));
  }

  @Test
  void input_reaches_a_program_and_ends() throws Exception {
    Machine machine = start(Map.of());
    byte[] big = "0123456789abcdef".repeat(40_000).getBytes(StandardCharsets.US_ASCII);

    try (Machine.Exec exec = machine.exec(ExecSpec.of("wc", "-c"))) {
      try (OutputStream in = exec.stdin()) {
        in.write(big);
      }
      assertEquals(
          big.length + "\n", new String(exec.stdout().readAllBytes(), StandardCharsets.US_ASCII));
      assertEquals(0, exec.await(LONG).orElseThrow());
    }
  }

  @Test
  void much_output_arrives_whole_and_a_program_that_nobody_reads_ends() throws Exception {
    Machine machine = start(Map.of());

    assertEquals(1 << 20, run(machine, "dd", "if=/dev/zero", "bs=64k", "count=16").out().length());
    try (Machine.Exec exec = machine.exec(ExecSpec.of("yes"))) {
      assertEquals('y', exec.stdout().read());
    }
    assertFalse(run(machine, "ps").out().contains(" yes"));
  }

  @Test
  void output_ends_with_the_program_even_if_a_child_keeps_it_open() throws Exception {
    Machine machine = start(Map.of());

    Result result = run(machine, "sh", "-c", "echo here; sleep 1000 & exit 3");
    assertEquals(new Result(3, "here\n", ""), result);
  }

  @Test
  void signals_reach_the_program_and_its_children() throws Exception {
    Machine machine = start(Map.of());

    try (Machine.Exec exec =
        machine.exec(ExecSpec.of("sh", "-c", "trap 'echo got; exit 5' INT; echo up; sleep 1000"))) {
      InputStream out = exec.stdout();
      assertEquals("up\n", new String(out.readNBytes(3), StandardCharsets.US_ASCII));
      assertTrue(exec.await(Duration.ofMillis(10)).isEmpty());
      exec.signal(2);
      assertEquals("got\n", new String(out.readAllBytes(), StandardCharsets.US_ASCII));
      assertEquals(5, exec.await(LONG).orElseThrow());
    }
    try (Machine.Exec exec = machine.exec(ExecSpec.of("sh", "-c", "sleep 1000; true"))) {
      exec.signal(9);
      assertEquals(137, exec.await(LONG).orElseThrow());
    }
    assertFalse(run(machine, "ps").out().contains("sleep 1000"));
  }

  @Test
  void a_terminal_has_a_name_a_size_and_job_control() throws Exception {
    Machine machine = start(Map.of());
    ExecSpec spec = ExecSpec.builder("sh").terminal(100, 40).user(1000).build();

    try (Machine.Exec exec = machine.exec(spec)) {
      OutputStream in = exec.stdin();
      in.write("tty; stty size; echo $TERM; id -u\n".getBytes(StandardCharsets.US_ASCII));
      in.flush();
      String shown = until(exec.stdout(), "1000\r\n");
      assertTrue(shown.contains("/dev/pts/"), shown);
      assertTrue(shown.contains("40 100"), shown);
      assertFalse(shown.contains("job control"), shown);
      exec.resize(new ExecSpec.TerminalSize(77, 33));
      // The quotes tell what the job prints from its echo: the job is in the foreground once it has printed.
      in.write("stty size\nsh -c 'echo run\"\"ning; exec sleep 1000'\n".getBytes(StandardCharsets.US_ASCII));
      in.flush();
      until(exec.stdout(), "33 77");
      until(exec.stdout(), "running\r\n");
      in.write(3); // interrupts the job, not the shell
      in.write("exit 9\n".getBytes(StandardCharsets.US_ASCII));
      in.flush();
      exec.stdout().readAllBytes();
      assertEquals(9, exec.await(LONG).orElseThrow());
    }
  }

  private static String until(InputStream in, String end) throws IOException {
    StringBuilder shown = new StringBuilder();
    while (shown.indexOf(end) < 0) {
      int c = in.read();
      assertTrue(c >= 0, () -> "ended after: " + shown);
      shown.append((char) c);
    }
    return shown.toString();
  }

  @Test
  void a_dead_agent_comes_back() throws Exception {
    Machine machine = start(Map.of());
    for (int i = 0; i < 2; i++) {
      run(
          machine,
          "sh",
          "-c",
          "for p in /proc/[0-9]*; do read -r n <$p/cmdline; "
              + "case $n in *agent*) kill -9 ${p#/proc/};; esac; done 2>/dev/null");
      assertEquals(new Result(0, "", ""), run(machine, "true"));
    }
  }

  @Test
  void a_full_process_limit_is_an_error_and_not_the_end() throws Exception {
    Machine machine = start(Map.of("limits.processes", "8"));
    Machine.Exec bomb =
        machine.exec(ExecSpec.of("sh", "-c", "while sleep 1000 & do :; done; sleep 1000"));
    try {
      Optional<StapesException> thrown = Optional.empty();
      for (int i = 0; i < 100 && thrown.isEmpty(); i++) {
        try (Machine.Exec exec = machine.exec(ExecSpec.of("sleep", "1000"))) {
          assertTrue(exec.await(Duration.ofMillis(100)).isEmpty());
        } catch (StapesException e) {
          thrown = Optional.of(e);
        }
      }
      assertEquals(Optional.of(StapesException.Kind.EXHAUSTED), thrown.map(StapesException::kind));
    } finally {
      bomb.close();
    }
    machine.kill();
    end(machine);
  }

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
        box.root.resolve("etc/inittab"), "::sysinit:/bin/true\n::wait:/bin/touch /run/booted\n");
    Machine machine = start(Map.of());

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

    assertFalse(Files.exists(Path.of("/proc/" + pid)));
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
    assertTrue(machine.state().processes().orElseThrow() >= 2);
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
      assertTrue(new String(console.log(), StandardCharsets.UTF_8).contains("first"));
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

  @Test
  void a_killed_jvm_takes_throwaway_containers_along_and_leaves_durable_ones() throws Exception {
    Path pids = box.directory.resolve("pids");
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                OtherJvm.class.getName(),
                box.directory.toString(),
                box.scope.tag(),
                pids.toString())
            .redirectErrorStream(true)
            .redirectOutput(box.directory.resolve("output").toFile())
            .start();
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
    Machine durable = box.driver.adopt(spec).orElseThrow();
    assertEquals(numbers.get(0), Long.toString(durable.pid()));
    assertEquals(0, run(durable, "true").code());
    box.driver.collect(Set.of(spec.id()));
    assertEquals(0, run(durable, "true").code());
    assertFalse(box.leftovers().stream().anyMatch(name -> name.contains("throwaway")));
    durable.kill();
    end(durable);
  }

  @Test
  void throwaway_containers_end_with_the_driver() throws Exception {
    Machine machine = start(Map.of());
    long pid = machine.pid();
    box.reopen();
    assertFalse(Files.exists(Path.of("/proc/" + pid)));
  }
}
