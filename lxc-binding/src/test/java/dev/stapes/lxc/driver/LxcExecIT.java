package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Programs in a container. */
class LxcExecIT extends LxcDriverFixture {
  LxcExecIT() throws IOException {}

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
    assertTrue(own.contains("lxc.payload.stapes-" + box.scope.tag() + "-"), own);
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
  void what_the_first_program_was_given_is_not_given_to_others_once_it_is_taken_away()
      throws Exception {
    Machine machine = start(Map.of("environment.KEPT", "a b", "environment.GONE", "x"));
    assertTrue(run(machine, "env").out().contains("GONE=x\n"));
    String first = Files.readString(Path.of("/proc/" + machine.pid() + "/environ"));
    assertTrue(first.contains("GONE=x\0") && first.contains("KEPT=a b\0"), first);

    machine.update(box.spec("test0001", Lifetime.THROWAWAY, Map.of("environment.KEPT", "c")));

    String out = run(machine, "env").out();
    assertTrue(out.contains("KEPT=c\n"), out);
    assertFalse(out.contains("GONE") || out.contains("container"), out);
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
  void a_request_of_any_length_arrives() throws Exception {
    Machine machine = start(Map.of());

    for (int length : new int[] {3_500, 3_900, 4_100, 70_000}) {
      String argument = "x".repeat(length);
      assertEquals(argument, run(machine, "printf", "%s", argument).out());
    }
  }

  @Test
  void a_program_without_input_is_at_its_end_at_once() throws Exception {
    Machine machine = start(Map.of());

    try (Machine.Exec exec = machine.execWithoutInput(ExecSpec.of("wc", "-c"))) {
      assertThrows(IOException.class, () -> exec.stdin().write(1));
      assertEquals("0\n", new String(exec.stdout().readAllBytes(), StandardCharsets.US_ASCII));
      assertEquals(0, exec.await(LONG).orElseThrow());
    }
  }

  @Test
  void requests_are_heard_whenever_they_come_after_the_one_before() throws Exception {
    Machine machine = start(Map.of());

    // Some 20 ms after it has begun to listen the agent looks for somebody to follow it.
    for (int i = 0; i < 100; i++) {
      long until = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(15_000 + 100 * i);
      while (System.nanoTime() < until) {
        Thread.onSpinWait();
      }
      assertEquals(i % 7, run(machine, "sh", "-c", "exit " + i % 7).code());
    }
  }

  @Test
  void much_output_arrives_whole_and_a_program_that_nobody_reads_ends() throws Exception {
    Machine machine = start(Map.of());

    assertEquals(1 << 20, run(machine, "dd", "if=/dev/zero", "bs=64k", "count=16").out().length());
    try (Machine.Exec exec = machine.exec(ExecSpec.of("yes"))) {
      assertEquals('y', exec.stdout().read());
    }
    awaitGone(machine, " yes");
  }

  /** Who was told to end does so when the scheduler lets it. */
  private static void awaitGone(Machine machine, String program) throws Exception {
    long deadline = System.nanoTime() + LONG.toNanos();
    while (run(machine, "ps").out().contains(program)) {
      assertTrue(System.nanoTime() < deadline, () -> "goes on: " + program);
    }
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
    awaitGone(machine, "sleep 1000");
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
      // The quotes tell what the job prints from its echo: the job is in the foreground once it has
      // printed.
      in.write(
          "stty size\nsh -c 'echo run\"\"ning; exec sleep 1000'\n"
              .getBytes(StandardCharsets.US_ASCII));
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

  @Test
  void programs_that_come_in_bursts_all_start() throws Exception {
    Machine machine = start(Map.of());
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      for (int burst = 0; burst < 20; burst++) {
        List<Callable<Result>> calls = new ArrayList<>();
        List<Result> expected = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          String word = burst + "-" + i;
          calls.add(() -> run(machine, "printf", word));
          expected.add(new Result(0, word, ""));
        }
        List<Result> results = new ArrayList<>();
        for (Future<Result> result : threads.invokeAll(calls)) {
          results.add(result.get());
        }
        assertEquals(expected, results);
      }
    } finally {
      threads.shutdownNow();
    }
    assertFalse(run(machine, "ps").out().contains("agent lead"), "the agent was put in again");
  }

  @Test
  void a_dead_agent_comes_back() throws Exception {
    Machine machine = start(Map.of());
    for (int i = 0; i < 2; i++) {
      run(
          machine,
          "sh",
          "-c",
          // But its own parent: it would go on alone, and kill those that come.
          "for p in /proc/[0-9]*; do read -r n <$p/cmdline; case $n in *agent*) "
              + "[ $p = /proc/$PPID ] || kill -9 ${p#/proc/};; esac; done 2>/dev/null");
      assertEquals(new Result(0, "", ""), run(machine, "true"));
    }
  }

  @Test
  void who_waits_for_its_turn_takes_over_from_an_agent_that_is_killed() throws Exception {
    Machine machine = start(Map.of());
    String agents = "for p in /proc/[0-9]*; do read -r n <$p/cmdline; case $n in *agent*follow*";
    // The first agent runs this, the second takes requests as soon as there is a third.
    String script =
        "found=; while [ -z \"$found\" ]; do "
            + agents
            + "2) found=$p;; esac; done; done 2>/dev/null; "
            + agents
            + "1) kill -9 ${p#/proc/}; echo killed;; esac; done 2>/dev/null";
    assertEquals("killed\n", run(machine, "sh", "-c", script).out());

    assertEquals(new Result(0, "", ""), run(machine, "true"));
    assertFalse(run(machine, "ps").out().contains("boot agent"));
  }

  @Test
  void a_full_process_limit_is_an_error_and_not_the_end() throws Exception {
    Machine machine = start(Map.of("limits.processes", "8"));
    List<Machine.Exec> running = new ArrayList<>();
    running.add(machine.exec(ExecSpec.of("sh", "-c", "while sleep 1000 & do :; done; sleep 1000")));
    try {
      Optional<StapesException> thrown = Optional.empty();
      for (int i = 0; i < 8 && thrown.isEmpty(); i++) {
        try {
          Machine.Exec exec = machine.exec(ExecSpec.of("sleep", "1000"));
          running.add(exec);
          assertTrue(exec.await(Duration.ofMillis(100)).isEmpty());
        } catch (StapesException e) {
          thrown = Optional.of(e);
        }
      }
      assertEquals(Optional.of(StapesException.Kind.EXHAUSTED), thrown.map(StapesException::kind));
    } finally {
      running.forEach(Machine.Exec::close);
    }
    machine.kill();
    end(machine);
  }
}
