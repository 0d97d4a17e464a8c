package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.MountTable;
import dev.stapes.linux.Pidfd;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Mounts.Flag;
import dev.stapes.spi.Processes.Child;
import dev.stapes.spi.Processes.Handle;
import dev.stapes.spi.Processes.Start;
import dev.stapes.spi.Processes.Stdio;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@RequiresRoot
@Timeout(60)
class LinuxHostIT {
  private final Path dir;
  private final Host host;

  LinuxHostIT(@TempDir Path dir) throws IOException {
    this.dir = dir.toRealPath();
    HostProvider provider =
        ServiceLoader.load(HostProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(p -> p.name().equals("linux"))
            .findFirst()
            .orElseThrow();
    this.host = provider.open();
  }

  @AfterEach
  void nothing_is_left() {
    host.close();
    host.close();
    assertEquals(List.of(), MountTable.ofProcess().below(dir));
  }

  private static StapesException fails(Kind kind, Executable call) {
    StapesException e = assertThrows(StapesException.class, call);
    assertEquals(kind, e.kind(), e.getMessage());
    return e;
  }

  private static Start start(String... arguments) {
    return Start.of(List.of(arguments), Map.of("PATH", "/usr/bin:/bin"));
  }

  private static int exit(Handle handle) throws Exception {
    return handle.exit().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  @Test
  void facts_are_the_machines() throws IOException {
    Host.Facts facts = host.facts();
    assertEquals(Files.readString(Path.of("/proc/sys/kernel/osrelease")).trim(), facts.kernel());
    assertEquals(Runtime.getRuntime().availableProcessors(), facts.onlineCpus().size());
    assertTrue(facts.memory().bytes() > 100_000_000L);
    assertTrue(facts.root());
  }

  @Test
  void a_program_is_found_in_the_sbin_directories_and_run() {
    assertEquals(Optional.empty(), host.programs().find("no-such-program"));
    assertTrue(host.programs().find("losetup").isPresent());
    assertEquals("a  b", host.programs().run(Command.of("printf", "%s", "a  b")).stdout());
    String environment =
        host.programs().run(Command.of("env").environment(Map.of("X", "1"))).stdout();
    assertTrue(environment.contains("LC_ALL=C\n") && environment.contains("X=1\n"), environment);
    assertEquals(2, environment.lines().filter(l -> !l.startsWith("PATH=")).count(), environment);
  }

  @Test
  void a_failing_program_is_told_with_its_exit_code_and_stderr() {
    StapesException e =
        fails(
            Kind.INTERNAL,
            () -> host.programs().run(Command.of("sh", "-c", "echo why >&2; exit 3")));
    assertEquals("program sh: exit code 3: why", e.getMessage());
    fails(Kind.UNAVAILABLE, () -> host.programs().run(Command.of("no-such-program")));
    fails(Kind.UNAVAILABLE, () -> host.programs().run(Command.of("/no/such/program")));
    fails(Kind.INVALID, () -> host.programs().run(Command.of("relative/program")));
  }

  @Test
  void a_program_that_takes_too_long_is_killed_with_what_it_started() throws Exception {
    Path pid = dir.resolve("pid");
    Command command =
        Command.of("sh", "-c", "sleep 1000 & echo $! >" + pid + "; echo begun >&2; wait")
            .timeout(Duration.ofSeconds(5));
    StapesException e = fails(Kind.TIMED_OUT, () -> host.programs().run(command));
    assertTrue(String.valueOf(e.getMessage()).contains("PT5S"), e.getMessage());
    int sleeper = Integer.parseInt(Files.readString(pid).trim());
    Optional<Pidfd> left = Pidfd.find(Syscalls.system(), sleeper);
    if (left.isPresent()) {
      try (Pidfd sleep = left.get()) {
        assertTrue(sleep.awaitExit(Duration.ofSeconds(30)));
      }
    }
  }

  @Test
  void interruption_kills_the_program() throws Exception {
    Path fifo = dir.resolve("fifo");
    host.programs().run(Command.of("mkfifo", fifo.toString()));
    CompletableFuture<Kind> outcome = new CompletableFuture<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                host.programs().run(Command.of("sh", "-c", "echo >" + fifo + "; sleep 1000"));
              } catch (StapesException e) {
                outcome.complete(e.kind());
              }
            });
    caller.start();
    try (BufferedReader begun = Files.newBufferedReader(fifo)) {
      assertEquals("", begun.readLine());
    }
    caller.interrupt();
    assertEquals(Kind.INTERRUPTED, outcome.get(30, TimeUnit.SECONDS));
    caller.join();
  }

  @Test
  void too_much_output_is_refused_and_much_is_not() {
    assertEquals(
        5_000_000,
        host.programs().run(Command.of("head", "-c", "5000000", "/dev/zero")).stdout().length());
    fails(Kind.EXHAUSTED, () -> host.programs().run(Command.of("cat", "/dev/zero")));
  }

  @Test
  void output_of_a_program_that_leaves_a_child_behind_is_not_waited_for() {
    String script = "sleep 30 & echo $!";
    String pid = host.programs().run(Command.of("sh", "-c", script)).stdout().trim();
    try (Handle sleeper = host.processes().find(Long.parseLong(pid)).orElseThrow()) {
      assertTrue(sleeper.isAlive());
      sleeper.signal(9);
    }
  }

  @Test
  void pipes_carry_data_both_ways_and_the_exit_code_comes() throws Exception {
    Stdio pipe = Stdio.pipe();
    try (Child child =
        host.processes()
            .start(start("/bin/sh", "-c", "cat; echo e >&2; exit 9").streams(pipe, pipe, pipe))) {
      child.stdin().write("hello".getBytes(StandardCharsets.UTF_8));
      child.stdin().close();
      assertEquals("hello", new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8));
      assertEquals("e\n", new String(child.stderr().readAllBytes(), StandardCharsets.UTF_8));
      assertEquals(9, exit(child));
      assertFalse(child.isAlive());
      child.signal(15);
      child.resize(new TerminalSize(1, 1));
    }
  }

  @Test
  void files_are_read_and_appended_to_in_the_hosts_namespace() throws Exception {
    Path hidden = Files.createDirectory(dir.resolve("hidden"));
    host.mounts().mount("tmpfs", hidden, "tmpfs", Set.of(), "size=1m");
    Path out = hidden.resolve("out");
    Path local = host.mounts().local(out);
    for (int i = 0; i < 2; i++) {
      Start cat =
          start("/bin/cat")
              .streams(
                  Stdio.file(Path.of("/proc/sys/kernel/ostype")), Stdio.file(out), Stdio.none());
      try (Child child = host.processes().start(cat)) {
        assertEquals(0, exit(child));
      }
    }
    assertEquals("Linux\nLinux\n", Files.readString(local));
    assertFalse(Files.exists(out));
    assertEquals(
        "rw-------",
        java.nio.file.attribute.PosixFilePermissions.toString(
            Files.getPosixFilePermissions(local)));
    Start fifo =
        start("/bin/true").streams(Stdio.file(hidden.resolve("none")), Stdio.none(), Stdio.none());
    fails(Kind.NOT_FOUND, () -> host.processes().start(fifo));
  }

  @Test
  void a_file_past_the_memory_of_the_host_is_an_input_that_can_be_written() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "line\n");
    Stdio direct = new Stdio.DirectFile(file);
    Stdio pipe = Stdio.pipe();
    String script = "grep flags /proc/self/fdinfo/0; exec 3<&0 0</dev/null; grep flags fdinfo/3";
    Start start =
        start("/bin/sh", "-c", "cd /proc/self; " + script).streams(direct, pipe, Stdio.none());
    try (Child child = host.processes().start(start)) {
      String said = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8);
      List<String> flags = said.lines().map(line -> line.replaceFirst(".*\\s", "")).toList();
      assertEquals(2, flags.size(), said);
      for (String each : flags) {
        int bits = Integer.parseInt(each, 8);
        assertEquals(2, bits & 3, said);
        assertTrue((bits & (0200000 | 040000)) != 0, said); // O_DIRECT of two architectures
      }
    }
    Start output = start("/bin/true").streams(Stdio.none(), direct, Stdio.none());
    fails(Kind.INVALID, () -> host.processes().start(output));
    Start none = start("/bin/true").streams(new Stdio.DirectFile(dir.resolve("no")), pipe, pipe);
    fails(Kind.NOT_FOUND, () -> host.processes().start(none));
  }

  @Test
  void a_terminal_has_the_size_and_can_be_resized() throws Exception {
    String script = "stty size; read x; stty size; echo got $x";
    try (Child child =
            host.processes()
                .start(start("/bin/sh", "-c", script).terminal(new TerminalSize(90, 30)));
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8))) {
      assertEquals("30 90", lines.readLine());
      child.resize(new TerminalSize(120, 40));
      child.stdin().write("word\n".getBytes(StandardCharsets.UTF_8));
      child.stdin().flush();
      assertEquals("word", lines.readLine());
      assertEquals("40 120", lines.readLine());
      assertEquals("got word", lines.readLine());
      assertEquals(0, exit(child));
    }
  }

  @Test
  void a_program_that_is_not_there_is_told_and_a_relative_one_is_refused() {
    StapesException e = fails(Kind.NOT_FOUND, () -> host.processes().start(start("/no/such")));
    assertTrue(
        String.valueOf(e.getMessage()).startsWith("/no/such: posix_spawn: ENOENT"), e.getMessage());
    fails(Kind.INVALID, () -> host.processes().start(start("sh")));
  }

  @Test
  void a_listener_may_block_and_use_the_host() throws Exception {
    try (Child child = host.processes().start(start("/bin/true"))) {
      String after =
          child
              .exit()
              .thenApply(code -> host.programs().run(Command.of("echo", "after " + code)).stdout())
              .toCompletableFuture()
              .get(30, TimeUnit.SECONDS);
      assertEquals("after 0\n", after);
    }
  }

  @Test
  void what_dies_with_the_host_dies_and_the_rest_stays() throws Exception {
    Child mortal = host.processes().start(start("/bin/sleep", "1000").dyingWithHost());
    Child durable = host.processes().start(start("/bin/sleep", "1000"));
    Syscalls sys = Syscalls.system();
    try (Pidfd dying = Pidfd.open(sys, (int) mortal.pid());
        Pidfd staying = Pidfd.open(sys, (int) durable.pid())) {
      host.close();
      assertEquals(137, exit(mortal));
      assertFalse(dying.isAlive());
      assertTrue(staying.isAlive());
      staying.signal(9);
      assertTrue(staying.awaitExit(Duration.ofSeconds(30)));
      assertThrows(CompletionException.class, () -> durable.exit().toCompletableFuture().join());
    } finally {
      mortal.close();
      durable.close();
      sys.libc().waitid(dev.stapes.linux.ffi.Constants.P_PID, (int) durable.pid(), null, 4);
    }
    fails(Kind.UNAVAILABLE, () -> host.programs());
  }

  @Test
  void somebody_elses_process_is_found_watched_and_signalled() throws Exception {
    Process process = new ProcessBuilder("/bin/sleep", "1000").start();
    try (Handle handle = host.processes().find(process.pid()).orElseThrow()) {
      assertTrue(handle.isAlive());
      assertFalse(handle.exit().toCompletableFuture().isDone());
      handle.signal(15);
      assertEquals(-1, exit(handle));
      assertEquals(143, process.waitFor());
      handle.signal(15);
    } finally {
      process.destroyForcibly();
    }
    assertEquals(Optional.empty(), host.processes().find(process.pid()));
    assertEquals(Optional.empty(), host.processes().find(-1));
  }

  @Test
  void what_is_mounted_apart_is_where_all_other_mounts_are() throws Exception {
    Path target = Files.createDirectory(dir.resolve("apart"));
    host.mounts().mountApart("a name", target, "tmpfs", Set.of(Flag.NOSUID), "size=64k");
    Files.writeString(host.mounts().local(target).resolve("f"), "x");
    assertEquals(List.of(), MountTable.ofProcess().below(dir));
    assertEquals(1, host.mounts().below(dir).size());
    assertEquals("x", host.programs().run(Command.of("cat", target + "/f")).stdout());
    host.mounts().unmount(target);
    fails(
        Kind.UNSUPPORTED,
        () -> host.mounts().mountApart("x", target, "no-such-type", Set.of(), ""));
    Path none = dir.resolve("none");
    fails(Kind.NOT_FOUND, () -> host.mounts().mountApart("x", none, "tmpfs", Set.of(), ""));
    assertEquals(List.of(), host.mounts().below(dir));
  }

  @Test
  void mounts_are_seen_by_the_hosts_programs_and_by_nobody_else() throws Exception {
    Path target = Files.createDirectory(dir.resolve("t"));
    host.mounts().mount("a name", target, "tmpfs", Set.of(Flag.NOSUID, Flag.NODEV), "size=64k");
    Files.writeString(host.mounts().local(target).resolve("f"), "x");
    assertEquals("x", host.programs().run(Command.of("cat", target + "/f")).stdout());
    assertFalse(Files.exists(target.resolve("f")));
    assertEquals(List.of(), MountTable.ofProcess().below(dir));
    List<Mounts.Entry> below = host.mounts().below(dir);
    assertEquals(1, below.size());
    assertEquals(target, below.get(0).target());
    assertEquals("a name", below.get(0).source());
    assertTrue(
        List.of(below.get(0).options().split(","))
            .containsAll(List.of("nosuid", "nodev", "size=64k")));
    host.mounts().unmount(target);
    assertEquals(List.of(), host.mounts().below(dir));
    fails(Kind.INVALID, () -> host.mounts().unmount(target));
    fails(Kind.UNSUPPORTED, () -> host.mounts().mount("x", target, "no-such-type", Set.of(), ""));
    fails(Kind.NOT_FOUND, () -> host.mounts().bind(dir.resolve("none"), target, Set.of()));
  }

  @Test
  void binds_are_recursive_or_not_and_read_only_if_wanted() throws Exception {
    Path source = dir.resolve("s");
    Files.createDirectories(source.resolve("inner"));
    Path target = Files.createDirectory(dir.resolve("t"));
    host.mounts().mount("inner", source.resolve("inner"), "tmpfs", Set.of(), "size=64k");
    host.mounts().bind(source, target, Set.of(Flag.READ_ONLY, Flag.NOATIME));
    assertEquals(1, host.mounts().below(target).size());
    fails(Kind.INTERNAL, () -> host.programs().run(Command.of("touch", target + "/f")));
    host.mounts().unmount(target);
    host.mounts().bind(source, target, Set.of(Flag.READ_ONLY, Flag.RECURSIVE));
    assertEquals(2, host.mounts().below(target).size());
    fails(Kind.INTERNAL, () -> host.programs().run(Command.of("touch", target + "/inner/f")));
    host.programs().run(Command.of("touch", source + "/inner/f"));
    host.mounts().unmount(target);
    assertEquals(List.of(), host.mounts().below(target));
  }

  @Test
  @RequiresKernel("overlay")
  void an_overlay_takes_paths_with_separators_in_them() throws Exception {
    Path lower = Files.createDirectory(dir.resolve("a:b,c\\d e"));
    Path upper = Files.createDirectory(dir.resolve("upper"));
    Path work = Files.createDirectory(dir.resolve("work"));
    Path target = Files.createDirectory(dir.resolve("t"));
    Files.writeString(lower.resolve("f"), "x");
    String escaped = lower.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
    host.mounts()
        .mount(
            "overlay",
            target,
            "overlay",
            Set.of(),
            "lowerdir=" + escaped + ",upperdir=" + upper + ",workdir=" + work);
    assertEquals("x", Files.readString(host.mounts().local(target).resolve("f")));
  }
}
