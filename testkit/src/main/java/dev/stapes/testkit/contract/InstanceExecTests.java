package dev.stapes.testkit.contract;

import static dev.stapes.testkit.contract.Guest.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/** How programs run in an instance; the hooks of the instance contract. */
@Timeout(400)
abstract class InstanceExecTests {
  private static final int SIGTERM = 15;
  private static final int SIGKILL = 9;

  private static @Nullable InstanceBench shared;
  private static @Nullable Machine sharedBox;

  private @Nullable InstanceBench opened;
  private @Nullable Machine started;

  /** The driver under test; called once per test. */
  protected abstract InstanceDriverProvider provider();

  /**
   * The driver under test, with all that it does to the machine by bindings of its own going
   * through the faults. What it does through the host goes through them anyhow.
   */
  protected InstanceDriverProvider provider(Faults faults) {
    return provider();
  }

  /** The machine; by default the only host provider that the service loader finds. */
  protected Host openHost() {
    return ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  }

  /** Where each test has its directory; every user must be able to pass through it. */
  protected Path parent() {
    return Path.of("/var/tmp");
  }

  /**
   * Makes a root disk with a shell and the usual small programs, attached; by default of the
   * machine's static busybox.
   *
   * @param directory empty, of the root disk's own, removed with all its content by the contract
   */
  protected Machine.Disk root(Host host, Path directory) throws IOException {
    BusyboxRoot.fill(directory);
    return new Machine.Disk(directory, Optional.empty(), Device.IoLimits.NONE);
  }

  /** Keys that every instance of the contract has in its config; by default none. */
  protected Map<String, String> config() {
    return Map.of();
  }

  /**
   * Whether an instance has a kernel of its own: programs are then limited by that and not by the
   * host, and one that reboots goes on as the same machine. By default it has not.
   */
  protected boolean hasOwnKernel() {
    return false;
  }

  /** Ends an instance from inside; by default it ends its first process. */
  protected List<String> end() {
    return List.of("sh", "-c", "kill -TERM 1; sleep 1000");
  }

  /** Lets go of root disks that {@link #root} made, where that needs more than removing files. */
  protected void release(Host host, List<Machine.Disk> roots) {}

  /**
   * What there is on the machine that belongs to a directory or bears the tag of a scope; compared
   * before and after each test.
   */
  protected Set<String> leftovers(Path directory, String tag) {
    return HostLeftovers.of(directory, tag);
  }

  /** A kernel takes its time to boot: what only executes programs has one machine for all. */
  @BeforeEach
  void open(TestInfo test) {
    boolean executes =
        test.getTestMethod().orElseThrow().getDeclaringClass() == InstanceExecTests.class;
    if (!hasOwnKernel() || !executes) {
      opened = InstanceBench.open(this, new Faults());
      return;
    }
    if (shared == null) {
      shared = InstanceBench.open(this, new Faults());
    }
    opened = shared;
    started = sharedBox;
  }

  @AfterEach
  void close() {
    if (opened != null && opened == shared) {
      sharedBox = started;
    } else if (opened != null) {
      opened.close();
    }
  }

  @AfterAll
  static void closeShared() {
    try {
      if (shared != null) {
        shared.close();
      }
    } finally {
      shared = null;
      sharedBox = null;
    }
  }

  InstanceBench bench() {
    return Objects.requireNonNull(opened, "no test runs");
  }

  Machine.Spec spec() {
    return bench().spec("aaaa", Lifetime.THROWAWAY, Map.of());
  }

  /** The machine of this test, started at the first call. */
  Machine box() {
    Machine machine = started;
    if (machine == null) {
      machine = bench().driver().start(spec());
      started = machine;
    }
    return machine;
  }

  @Test
  void a_program_runs_and_its_output_comes_back() throws Exception {
    assertEquals(new Guest.Result(0, "hello world\n", ""), run(box(), "echo", "hello", "world"));
  }

  @Test
  void arguments_arrive_as_they_are() throws Exception {
    String[] command = {"echo", "two  spaces", "", "$HOME `id` \"quoted\" 'too' \\ ; | & *", "ünï"};
    assertEquals(
        "two  spaces  $HOME `id` \"quoted\" 'too' \\ ; | & * ünï\n", run(box(), command).out());
    assertEquals("a\nb\n", run(box(), "echo", "a\nb").out());
  }

  @Test
  void the_exit_code_is_the_program_s_own() throws Exception {
    assertEquals(0, run(box(), "true").code());
    assertEquals(1, run(box(), "false").code());
    assertEquals(7, run(box(), "sh", "-c", "exit 7").code());
    assertEquals(255, run(box(), "sh", "-c", "exit 255").code());
  }

  @Test
  void a_program_that_does_not_exist_is_exit_code_127() throws Exception {
    assertEquals(127, run(box(), "no-such-program").code());
    assertEquals(127, run(box(), "/bin/no-such-program", "argument").code());
  }

  @Test
  void a_file_that_cannot_be_executed_is_exit_code_126() throws Exception {
    assertEquals(126, run(box(), "/etc/not-a-program").code());
  }

  @Test
  void standard_output_and_error_are_kept_apart() throws Exception {
    assertEquals(
        new Guest.Result(3, "out\n", "err\n"),
        run(box(), "sh", "-c", "echo out; echo err >&2; exit 3"));
  }

  @Test
  void standard_input_reaches_a_program_byte_by_byte_and_ends() throws Exception {
    byte[] input = new byte[1 << 20];
    new Random(1).nextBytes(input);
    for (int i = 0; i < 256; i++) {
      input[i] = (byte) i;
    }
    try (Machine.Exec exec = box().exec(ExecSpec.of("cat"))) {
      CompletableFuture<byte[]> output = Guest.reading(exec.stdout());
      exec.stdin().write(input);
      exec.stdin().close();
      assertArrayEquals(input, Guest.finish(output));
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
    }
  }

  @Test
  void a_program_is_talked_to_while_it_runs() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("cat"))) {
      for (String line : List.of("first\n", "second\n")) {
        CompletableFuture<String> answer = Guest.readingUntil(exec.stdout(), line);
        Guest.type(exec.stdin(), line);
        assertEquals(line, Guest.finish(answer));
      }
      exec.stdin().close();
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
    }
  }

  @Test
  void much_output_on_both_streams_arrives_whole() throws Exception {
    ExecSpec spec =
        ExecSpec.of("sh", "-c", "head -c 6000000 /dev/zero; head -c 5000000 /dev/zero >&2");
    Guest.Result result = run(box(), spec, new byte[0]);
    assertEquals(0, result.code());
    assertEquals(6_000_000, result.out().length());
    assertEquals(5_000_000, result.err().length());
  }

  @Test
  void both_outputs_are_collected_or_their_streams_are_as_they_were() throws Exception {
    ExecSpec spec = ExecSpec.of("sh", "-c", "echo out; echo err >&2; exit 3");
    try (Machine.Exec exec = box().exec(spec)) {
      Optional<Machine.Collected> all = exec.collect(100, Guest.LONG);
      if (all.isPresent()) {
        assertEquals(OptionalInt.of(3), all.get().code());
        assertEquals("out\n", new String(all.get().stdout(), StandardCharsets.UTF_8));
        assertEquals("err\n", new String(all.get().stderr(), StandardCharsets.UTF_8));
        assertFalse(all.get().tooMuch());
      } else {
        assertEquals("out\n", Guest.finish(Guest.readingUntil(exec.stdout(), "\n")));
      }
      assertEquals(OptionalInt.of(3), exec.await(Guest.LONG));
    }
  }

  @Test
  void collecting_ends_with_its_time_and_with_too_much() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("sleep", "1000"))) {
      Optional<Machine.Collected> all = exec.collect(100, Duration.ofMillis(20));
      assertEquals(
          OptionalInt.empty(), all.map(Machine.Collected::code).orElse(OptionalInt.empty()));
      assertEquals(OptionalInt.empty(), exec.await(Duration.ZERO), "it goes on");
    }
    ExecSpec spec =
        ExecSpec.of("sh", "-c", "head -c 6000000 /dev/zero; head -c 5000000 /dev/zero >&2");
    try (Machine.Exec exec = box().exec(spec)) {
      Optional<Machine.Collected> all = exec.collect(100, Guest.LONG);
      assertTrue(all.isEmpty() || all.get().tooMuch());
    }
  }

  @Test
  void the_environment_is_the_instance_s_and_the_exec_s_own_over_it() throws Exception {
    Machine machine =
        bench()
            .driver()
            .start(
                bench()
                    .spec(
                        "eeee",
                        Lifetime.THROWAWAY,
                        Map.of("environment.ONE", "instance", "environment.TWO", "instance")));
    ExecSpec spec =
        ExecSpec.builder("env")
            .environment("TWO", "exec")
            .environment("THREE", "a = 'b' $c\nd")
            .build();
    String out = run(machine, spec, new byte[0]).out();
    assertTrue(out.contains("ONE=instance\n"), out);
    assertTrue(out.contains("TWO=exec\n"), out);
    assertFalse(out.contains("TWO=instance"), out);
    assertTrue(out.contains("THREE=a = 'b' $c\nd\n"), out);
    assertTrue(out.contains("PATH="), out);
  }

  @Test
  void a_program_starts_in_the_directory_that_is_asked_for() throws Exception {
    assertEquals(
        "/etc\n", run(box(), ExecSpec.builder("pwd").directory("/etc").build(), new byte[0]).out());
  }

  @Test
  void a_program_runs_as_the_user_and_group_that_are_asked_for() throws Exception {
    assertEquals("0 0\n", ids(ExecSpec.builder("sh", "-c", "echo $(id -u) $(id -g)").build()));
    assertEquals(
        "1000 1001\n",
        ids(ExecSpec.builder("sh", "-c", "echo $(id -u) $(id -g)").user(1000).group(1001).build()));
    assertEquals(
        "1234 4321\n",
        ids(ExecSpec.builder("sh", "-c", "echo $(id -u) $(id -g)").user(1234).group(4321).build()));
  }

  private String ids(ExecSpec spec) throws Exception {
    return run(box(), spec, new byte[0]).out();
  }

  @Test
  void waiting_is_empty_while_the_program_runs() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("cat"))) {
      assertEquals(OptionalInt.empty(), exec.await(Duration.ofMillis(20)));
      exec.stdin().close();
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
      assertEquals(OptionalInt.of(0), exec.await(Duration.ofMillis(1)));
    }
  }

  @Test
  void a_signal_ends_a_program_and_the_exit_code_says_which() throws Exception {
    for (int signal : new int[] {SIGTERM, SIGKILL}) {
      try (Machine.Exec exec = box().exec(ExecSpec.of("sleep", "1000"))) {
        exec.signal(signal);
        assertEquals(OptionalInt.of(128 + signal), exec.await(Guest.LONG));
      }
    }
  }

  @Test
  void a_program_may_handle_a_signal() throws Exception {
    String script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    try (Machine.Exec exec = box().exec(ExecSpec.of("sh", "-c", script))) {
      Guest.finish(Guest.readingUntil(exec.stdout(), "ready\n"));
      exec.signal(SIGTERM);
      assertEquals(OptionalInt.of(9), exec.await(Guest.LONG));
    }
  }

  @Test
  void a_signal_after_the_end_does_nothing() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("true"))) {
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
      exec.signal(SIGTERM);
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
    }
  }

  @Test
  void closing_an_exec_kills_its_program() throws Exception {
    String pid;
    try (Machine.Exec exec = box().exec(ExecSpec.of("sh", "-c", "echo $$; exec sleep 1000"))) {
      pid = Guest.finish(Guest.readingUntil(exec.stdout(), "\n")).strip();
      exec.close();
    }
    String gone = "while kill -0 " + pid + " 2>/dev/null; do usleep 20000; done; echo gone";
    assertEquals("gone\n", run(box(), "sh", "-c", gone).out());
  }

  @Test
  void closing_one_exec_leaves_the_others() throws Exception {
    try (Machine.Exec stays = box().exec(ExecSpec.of("cat"))) {
      box().exec(ExecSpec.of("cat")).close();
      CompletableFuture<String> answer = Guest.readingUntil(stays.stdout(), "here\n");
      Guest.type(stays.stdin(), "here\n");
      assertEquals("here\n", Guest.finish(answer));
    }
  }

  @Test
  void programs_run_beside_each_other() throws Exception {
    box();
    List<Callable<String>> calls = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      String number = Integer.toString(i);
      calls.add(
          () -> run(box(), ExecSpec.of("cat"), number.getBytes(StandardCharsets.UTF_8)).out());
    }
    ExecutorService threads = Executors.newFixedThreadPool(calls.size());
    try {
      List<String> answers = new ArrayList<>();
      for (Future<String> answer : threads.invokeAll(calls)) {
        answers.add(answer.get());
      }
      assertEquals(List.of("0", "1", "2", "3", "4", "5", "6", "7"), answers);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void many_programs_one_after_the_other_leave_nothing_in_the_way() throws Exception {
    for (int i = 0; i < 100; i++) {
      assertEquals(i + "\n", run(box(), "echo", Integer.toString(i)).out());
    }
  }

  @Test
  void a_terminal_has_the_size_that_is_asked_for_and_one_stream() throws Exception {
    String script = "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && stty size && echo err >&2";
    ExecSpec spec = ExecSpec.builder("sh", "-c", script).terminal(100, 30).build();
    try (Machine.Exec exec = box().exec(spec)) {
      CompletableFuture<byte[]> out = Guest.reading(exec.stdout());
      assertArrayEquals(new byte[0], Guest.finish(Guest.reading(exec.stderr())));
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
      assertEquals("30 100\nerr\n", Guest.text(Guest.finish(out)).replace("\r", ""));
    }
  }

  @Test
  void a_terminal_is_resized_while_its_program_runs() throws Exception {
    String script =
        "echo ready; while [ \"$(stty size)\" != '40 120' ]; do usleep 20000; done; echo resized";
    ExecSpec spec = ExecSpec.builder("sh", "-c", script).terminal(80, 24).build();
    try (Machine.Exec exec = box().exec(spec)) {
      Guest.finish(Guest.readingUntil(exec.stdout(), "ready"));
      exec.resize(new ExecSpec.TerminalSize(120, 40));
      Guest.finish(Guest.readingUntil(exec.stdout(), "resized"));
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
    }
  }

  @Test
  void control_c_on_a_terminal_interrupts_its_program() throws Exception {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "echo ready; exec sleep 1000").terminal(80, 24).build();
    try (Machine.Exec exec = box().exec(spec)) {
      Guest.finish(Guest.readingUntil(exec.stdout(), "ready"));
      Guest.type(exec.stdin(), "\u0003");
      assertEquals(OptionalInt.of(130), exec.await(Guest.LONG));
    }
  }

  @Test
  void resizing_what_has_no_terminal_does_nothing() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("cat"))) {
      exec.resize(new ExecSpec.TerminalSize(120, 40));
      exec.stdin().close();
      assertEquals(OptionalInt.of(0), exec.await(Guest.LONG));
    }
  }
}
