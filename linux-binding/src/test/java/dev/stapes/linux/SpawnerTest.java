package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SpawnerTest {
  private static final Path SH = Path.of("/bin/sh");

  private final Syscalls sys = Syscalls.system();
  private final Spawner spawner = Spawner.open(sys, "test");
  private final Path dir;

  SpawnerTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @AfterEach
  void close() {
    spawner.close();
  }

  /** Runs a script to its end and returns what it wrote. */
  private String output(SpawnRequest.Builder request) throws Exception {
    Pipe pipe = Pipe.open(sys);
    try (InputStream in = pipe.read().input()) {
      ChildProcess child;
      try (Fd write = pipe.write()) {
        child = spawner.spawn(request.stdout(write).build());
      }
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(new ExitStatus(true, 0), child.awaitExit(), text);
      return text;
    }
  }

  @Test
  void the_exit_code_and_the_signal_are_told_apart() throws Exception {
    ChildProcess seven = spawner.spawn(SpawnRequest.of(SH, "-c", "exit 7").build());
    assertEquals(new ExitStatus(true, 7), seven.awaitExit());
    ChildProcess killed = spawner.spawn(SpawnRequest.of(SH, "-c", "kill -TERM $$").build());
    assertEquals(new ExitStatus(false, 15), killed.awaitExit());
    assertEquals(143, killed.awaitExit().code());
  }

  @Test
  void a_child_of_a_closed_spawner_is_reaped_by_another_one() throws Exception {
    Spawner first = Spawner.open(sys, "first");
    ChildProcess child = first.spawn(SpawnRequest.of(SH, "-c", "exec sleep 600").build());
    Path process = Path.of("/proc/" + child.pid());
    first.close();
    assertTrue(Files.exists(process));

    try (Pidfd pidfd = Pidfd.open(sys, child.pid())) {
      CompletableFuture<Pidfd> ended = spawner.watch(pidfd);
      pidfd.signal(Signal.KILL);
      ended.get(30, TimeUnit.SECONDS);
    }
    assertFalse(Files.exists(process), "a zombie");
  }

  @Test
  void a_child_that_ended_unseen_is_reaped_by_the_next_spawner() throws Exception {
    Spawner first = Spawner.open(sys, "first");
    ChildProcess child = first.spawn(SpawnRequest.of(SH, "-c", "exec sleep 600").build());
    Path process = Path.of("/proc/" + child.pid());
    first.close();
    try (Pidfd pidfd = Pidfd.open(sys, child.pid())) {
      pidfd.signal(Signal.KILL);
      assertTrue(pidfd.awaitExit(Duration.ofSeconds(30)));
    }
    assertTrue(Files.exists(process));

    Spawner.open(sys, "second").close();
    assertFalse(Files.exists(process), "a zombie");
  }

  @Test
  void a_child_has_only_the_three_descriptors() throws Exception {
    List<InputStream> leaks = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      leaks.add(Files.newInputStream(Path.of("/proc/self/status")));
    }
    try (Fd inherited = Fd.open(sys, Path.of("/dev/null"), Set.of(OpenFlag.READ))) {
      sys.libc().fcntl(inherited.number(), dev.stapes.linux.ffi.Constants.F_SETFD, 0);
      String list =
          output(SpawnRequest.of(SH, "-c", "for i in /proc/$$/fd/*; do echo ${i##*/}; done"));
      Set<String> open = new TreeSet<>(list.lines().toList());
      open.remove("3"); // what the shell reads the directory with
      assertEquals(Set.of("0", "1", "2"), open);
    } finally {
      for (InputStream leak : leaks) {
        leak.close();
      }
    }
  }

  @Test
  void a_child_has_exactly_the_environment_the_arguments_and_the_directory_of_the_request()
      throws Exception {
    assertEquals(
        "A=1\nB=with space\n",
        output(
            SpawnRequest.of(Path.of("/usr/bin/env"))
                .environment("A", "1")
                .environment("B", "with space")));
    assertEquals(
        "a b|c||\u00e9|",
        output(
            SpawnRequest.of(Path.of("/usr/bin/printf"), List.of("%s|", "a b", "c", "", "\u00e9"))));
    Path real = dir.toRealPath();
    assertEquals(real + "\n", output(SpawnRequest.of(Path.of("/bin/pwd")).directory(real)));
    assertEquals("/\n", output(SpawnRequest.of(Path.of("/bin/pwd"))));
  }

  @Test
  void a_child_has_default_signal_handlers_an_empty_mask_and_a_session_of_its_own()
      throws Exception {
    String status =
        output(SpawnRequest.of(Path.of("/bin/cat"), "/proc/self/status", "/proc/self/stat"));
    assertTrue(status.contains("SigBlk:\t0000000000000000"), status);
    // glibc ignores its own two, 32 and 33, in every child that posix_spawn makes.
    String ignored =
        status.lines().filter(l -> l.startsWith("SigIgn:\t")).findFirst().orElseThrow();
    assertEquals(0, Long.parseUnsignedLong(ignored.substring(8), 16) & ~0x180000000L, status);
    String[] stat = status.substring(status.lastIndexOf(") ") + 2).split(" ");
    String pid = status.lines().filter(l -> l.startsWith("Pid:")).findFirst().orElseThrow();
    assertEquals(pid.substring(5), stat[3], "session");
  }

  @Test
  void standard_input_and_further_descriptors_reach_the_child_whatever_their_numbers()
      throws Exception {
    Pipe in = Pipe.open(sys);
    Pipe four = Pipe.open(sys);
    try (in;
        four) {
      in.write().write(ByteBuffer.wrap("in\n".getBytes(StandardCharsets.UTF_8)));
      four.write().write(ByteBuffer.wrap("four\n".getBytes(StandardCharsets.UTF_8)));
      String script = "read a; read b <&4; echo $a $b; cat <&3 | wc -c";
      assertEquals(
          "in four\n0\n",
          output(SpawnRequest.of(SH, "-c", script).stdin(in.read()).descriptor(4, four.read())));
    }
  }

  @Test
  void sources_with_numbers_among_the_targets_are_not_mixed_up() throws Exception {
    // This process's own 1 becomes the child's 0 and the other way round.
    Fd zero = Fd.adopt(sys, 0, "0");
    Fd two = Fd.adopt(sys, 2, "2");
    try {
      String before = Files.readSymbolicLink(Path.of("/proc/self/fd/0")) + "|";
      String error = Files.readSymbolicLink(Path.of("/proc/self/fd/2")) + "|";
      String script = "printf '%s|%s|' \"$(readlink /proc/$$/fd/0)\" \"$(readlink /proc/$$/fd/2)\"";
      assertEquals(
          error + before,
          output(
              SpawnRequest.of(SH, "-c", script)
                  .environment("PATH", "/usr/bin:/bin")
                  .stdin(two)
                  .stderr(zero)));
    } finally {
      zero.release();
      two.release();
    }
  }

  @Test
  void a_program_that_does_not_exist_is_enoent_and_leaves_no_child() {
    Path path = Path.of("/no/such/program");
    LinuxException e =
        assertThrows(LinuxException.class, () -> spawner.spawn(SpawnRequest.of(path).build()));
    assertEquals(Errno.ENOENT, e.errno());
    assertEquals("posix_spawn", e.call());
    assertEquals(path.toString(), e.subject());
  }

  @Test
  void a_directory_that_does_not_exist_is_enoent() {
    SpawnRequest request = SpawnRequest.of(SH, "-c", ":").directory(Path.of("/no/such")).build();
    LinuxException e = assertThrows(LinuxException.class, () -> spawner.spawn(request));
    assertEquals(Errno.ENOENT, e.errno());
  }

  @Test
  void signals_reach_a_child_and_nobody_after_its_end() throws Exception {
    ChildProcess child = spawner.spawn(SpawnRequest.of(Path.of("/bin/sleep"), "1000").build());
    assertTrue(child.isAlive());
    assertEquals(Optional.empty(), child.awaitExit(Duration.ofMillis(1)));
    assertTrue(child.signal(Signal.KILL));
    assertEquals(Optional.of(new ExitStatus(false, 9)), child.awaitExit(Duration.ofSeconds(30)));
    assertFalse(child.isAlive());
    assertFalse(child.signal(Signal.KILL));
    assertEquals(Optional.empty(), child.pidfd());
  }

  @Test
  void an_exit_is_told_without_anybody_waiting_and_the_child_is_reaped() throws Exception {
    List<ChildProcess> children = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      children.add(spawner.spawn(SpawnRequest.of(SH, "-c", "exit " + i).build()));
    }
    for (int i = 0; i < 100; i++) {
      ChildProcess child = children.get(i);
      assertEquals(new ExitStatus(true, i), child.onExit().get(30, TimeUnit.SECONDS));
      assertFalse(Files.exists(Path.of("/proc/" + child.pid() + "/status")) && isOurs(child.pid()));
    }
  }

  private static boolean isOurs(int pid) {
    return ProcessHandle.of(pid)
        .flatMap(ProcessHandle::parent)
        .map(parent -> parent.pid() == ProcessHandle.current().pid())
        .orElse(false);
  }

  @Test
  void another_ones_process_can_be_waited_for() throws Exception {
    Process process = new ProcessBuilder("/bin/sleep", "1000").start();
    try (Pidfd pidfd = Pidfd.open(sys, (int) process.pid())) {
      assertTrue(pidfd.isAlive());
      assertFalse(pidfd.awaitExit(Duration.ofMillis(5)));
      assertTrue(pidfd.signal(Signal.TERM));
      assertTrue(pidfd.awaitExit(Duration.ofSeconds(30)));
      assertEquals(143, process.waitFor());
      assertFalse(pidfd.signal(Signal.TERM));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(Optional.empty(), Pidfd.find(sys, (int) process.pid()));
  }

  @Test
  void a_wait_for_a_process_can_be_interrupted() throws Exception {
    try (Pidfd self = Pidfd.open(sys, sys.libc().getpid())) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedException.class, () -> self.awaitExit(Duration.ofSeconds(30)));
    }
  }

  @Test
  void tasks_run_on_the_one_thread_and_throw_what_they_throw() {
    Thread thread = spawner.call(Thread::currentThread);
    assertEquals("test-spawner", thread.getName());
    assertEquals(
        thread, spawner.<Thread, RuntimeException>call(() -> spawner.call(Thread::currentThread)));
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                spawner.call(
                    () -> {
                      throw new IOException("as it is");
                    }));
    assertEquals("as it is", e.getMessage());
  }

  @Test
  void an_interrupted_caller_gets_the_outcome_of_a_task_that_has_begun() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    CompletableFuture<String> result = new CompletableFuture<>();
    Thread caller =
        new Thread(
            () -> {
              String text =
                  spawner.<String, InterruptedExceptionInTask>call(
                      () -> {
                        begun.countDown();
                        awaitIn(go);
                        return "done";
                      });
              result.complete(text + Thread.currentThread().isInterrupted());
            });
    caller.start();
    begun.await();
    caller.interrupt();
    go.countDown();
    assertEquals("donetrue", result.get(30, TimeUnit.SECONDS));
    caller.join();
  }

  @Test
  void an_interrupted_caller_gets_the_outcome_of_a_task_that_waited_in_the_queue()
      throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Thread first =
        new Thread(
            () ->
                spawner.<Boolean, InterruptedExceptionInTask>call(
                    () -> {
                      begun.countDown();
                      awaitIn(go);
                      return true;
                    }));
    first.start();
    begun.await();
    CompletableFuture<String> result = new CompletableFuture<>();
    Thread second =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              result.complete(spawner.call(() -> "done") + Thread.currentThread().isInterrupted());
            });
    second.start();
    while (second.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    go.countDown();
    assertEquals("donetrue", result.get(30, TimeUnit.SECONDS));
    first.join();
    second.join();
  }

  private static final class InterruptedExceptionInTask extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static void awaitIn(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new InterruptedExceptionInTask();
    }
  }

  @Test
  void closing_joins_the_threads_and_refuses_what_comes_later() {
    Thread thread = spawner.call(Thread::currentThread);
    spawner.close();
    spawner.close();
    assertFalse(thread.isAlive());
    assertTrue(
        Thread.getAllStackTraces().keySet().stream()
            .noneMatch(t -> t.getName().equals("test-reaper")));
    assertThrows(IllegalStateException.class, () -> spawner.call(() -> 1));
  }

  @Test
  void a_child_outlives_the_spawner_unless_it_wants_to_die_with_its_thread() throws Exception {
    ChildProcess durable = spawner.spawn(SpawnRequest.of(Path.of("/bin/sleep"), "1000").build());
    Pipe ready = Pipe.open(sys);
    ChildProcess mortal;
    try (ready) {
      List<String> arguments =
          List.of("--pdeathsig", "KILL", SH.toString(), "-c", "echo; read x; sleep 1000");
      Pipe in = Pipe.open(sys);
      mortal =
          spawner.spawn(
              SpawnRequest.of(Path.of("/usr/bin/setpriv"), arguments)
                  .stdin(in.read())
                  .stdout(ready.write())
                  .build());
      ready.write().close();
      assertEquals(1, ready.read().read(ByteBuffer.allocateDirect(1)));
      try (Pidfd dying = Pidfd.open(sys, mortal.pid());
          Pidfd staying = Pidfd.open(sys, durable.pid())) {
        spawner.close();
        assertTrue(dying.awaitExit(Duration.ofSeconds(30)));
        assertTrue(staying.isAlive());
        staying.signal(Signal.KILL);
        assertTrue(staying.awaitExit(Duration.ofSeconds(30)));
      } finally {
        in.close();
      }
    }
    assertThrows(IllegalStateException.class, durable::awaitExit);
    // The spawner is gone: its orphaned zombies are ours.
    sys.libc().waitid(dev.stapes.linux.ffi.Constants.P_PID, durable.pid(), null, 4);
    sys.libc().waitid(dev.stapes.linux.ffi.Constants.P_PID, mortal.pid(), null, 4);
  }

  @Test
  void a_terminal_is_controlling_has_the_size_and_tells_of_a_new_one() throws Exception {
    try (Pty pty = Pty.open(sys)) {
      pty.resize(new Pty.Size(101, 37));
      assertEquals(new Pty.Size(101, 37), pty.size());
      String script =
          "stty size; tty; test -t 0 && test -t 1 && test -t 2 && : </dev/tty && echo controls;"
              + " trap 'stty size; exit 3' WINCH; echo ready; while :; do read x || :; done";
      ChildProcess child;
      try (Fd slave = pty.openSlave()) {
        child =
            spawner.spawn(
                SpawnRequest.of(SH, "-c", script)
                    .environment(Map.of("PATH", "/usr/bin:/bin"))
                    .terminal(slave)
                    .build());
      }
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(pty.master().duplicate().input(), StandardCharsets.UTF_8));
      assertEquals("37 101", lines.readLine());
      assertEquals(pty.slavePath().toString(), lines.readLine());
      assertEquals("controls", lines.readLine());
      assertEquals("ready", lines.readLine());
      pty.resize(new Pty.Size(80, 24));
      try (OutputStream out = pty.master().duplicate().output()) {
        out.write('\n'); // a shell runs its trap when read(1) has returned
      }
      assertEquals("24 80", skipEcho(lines));
      assertEquals(new ExitStatus(true, 3), child.awaitExit());
      lines.close();
    }
  }

  private static String skipEcho(BufferedReader lines) throws IOException {
    String line = lines.readLine();
    return line.isEmpty() ? lines.readLine() : line;
  }
}
