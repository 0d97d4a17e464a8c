package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Console;
import dev.stapes.Delete;
import dev.stapes.ExecProcess;
import dev.stapes.Instance;
import dev.stapes.model.ExecException;
import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class ExecIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");
  private static Instance box;

  @BeforeAll
  static void launch() {
    box = BENCH.stapes().instances().launch(BENCH.spec().environment("GREETING", "hello").build());
  }

  @AfterAll
  static void delete() {
    box.delete(Delete.FORCE);
  }

  @Test
  void output_errors_and_exit_code_come_back_apart() {
    ExecResult result = box.exec("sh", "-c", "echo out; echo err >&2; exit 3");
    assertEquals("out\n", result.stdout());
    assertEquals("err\n", result.stderr());
    assertEquals(3, result.exitCode());
    ExecException e = assertThrows(ExecException.class, result::orThrow);
    assertTrue(String.valueOf(e.getMessage()).contains("err"), e.getMessage());
  }

  @Test
  void codes_are_those_of_a_shell() {
    assertEquals(127, box.exec("no-such-program").exitCode());
    assertEquals(126, box.exec("/etc/passwd").exitCode());
    assertEquals(128 + 15, box.exec("sh", "-c", "kill -TERM $$").exitCode());
  }

  @Test
  void arguments_arrive_as_they_are() {
    List<String> hostile =
        List.of("a b", "'", "\"", "$HOME", "`id`", "\\", "new\nline", "tab\t", "*", "é", "", "--");
    List<String> command = new ArrayList<>(List.of("sh", "-c", "printf '%s|' \"$@\"", "sh"));
    command.addAll(hostile);
    ExecResult result = box.exec(command.toArray(new String[0])).orThrow();
    assertEquals(String.join("|", hostile) + "|", result.stdout());
  }

  @Test
  void environment_of_instance_and_call_are_merged() {
    ExecResult result =
        box.exec(
                ExecSpec.builder("sh", "-c", "echo $GREETING $NAME")
                    .environment("NAME", "it's me")
                    .build())
            .orThrow();
    assertEquals("hello it's me\n", result.stdout());
  }

  @Test
  void user_group_and_directory_are_as_asked() {
    ExecResult result =
        box.exec(
                ExecSpec.builder("sh", "-c", "id -u; id -g; pwd")
                    .user(1000)
                    .group(1001)
                    .directory("/tmp")
                    .build())
            .orThrow();
    assertEquals("1000\n1001\n/tmp\n", result.stdout());
  }

  @Test
  void binary_input_of_some_megabytes_comes_back_unchanged() {
    byte[] input = new byte[3 << 20];
    new Random(7).nextBytes(input);
    ExecResult result = box.exec(ExecSpec.of("cat"), input).orThrow();
    assertArrayEquals(input, result.output().toArray());
  }

  @Test
  void a_program_that_takes_too_long_is_killed() {
    ExecSpec spec = ExecSpec.builder("sleep", "4711").timeout(Duration.ofMillis(300)).build();
    StapesException e = assertThrows(StapesException.class, () -> box.exec(spec));
    assertEquals(Kind.TIMED_OUT, e.kind());
    awaitGone("sleep 4711");
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void input_that_only_a_program_left_behind_could_read_is_dropped() {
    // By another number: as its standard input a shell gives /dev/null to what it leaves behind.
    String leaving = "exec 3<&0; sleep 4713 >/dev/null 2>&1 & echo $!; exit 4";
    ExecResult result = box.exec(ExecSpec.of("sh", "-c", leaving), new byte[1 << 20]);
    assertEquals(4, result.exitCode());
    box.exec("kill", result.stdout().strip()).orThrow();
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void input_that_nobody_reads_keeps_no_timeout_from_coming() {
    ExecSpec spec = ExecSpec.builder("sleep", "4714").timeout(Duration.ofMillis(300)).build();
    StapesException e =
        assertThrows(StapesException.class, () -> box.exec(spec, new byte[1 << 20]));
    assertEquals(Kind.TIMED_OUT, e.kind());
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void input_that_a_terminal_has_no_room_for_is_dropped_with_the_program() {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "stty -icanon -echo; exit 6").terminal(80, 24).build();
    byte[] input = new byte[1 << 20];
    Arrays.fill(input, (byte) 'x');
    assertEquals(6, box.exec(spec, input).exitCode());
  }

  @Test
  void a_timeout_can_be_as_long_as_a_duration_gets() {
    Duration forever = ChronoUnit.FOREVER.getDuration();
    ExecSpec spec = ExecSpec.builder("true").timeout(forever).build();
    assertEquals(0, box.exec(spec).exitCode());
    try (ExecProcess process = box.execStreaming(spec)) {
      assertEquals(0, process.await(forever).orElseThrow());
    }
  }

  @Test
  void what_was_closed_is_unavailable() {
    Console console = box.console();
    console.close();
    assertEquals(Kind.UNAVAILABLE, assertThrows(StapesException.class, console::output).kind());
    ExecProcess process = box.execStreaming(ExecSpec.of("sleep", "4715"));
    process.close();
    assertEquals(Kind.UNAVAILABLE, assertThrows(StapesException.class, process::await).kind());
  }

  /**
   * Waits until no program runs inside with a command line that starts so: who was killed ends when
   * the scheduler lets it.
   */
  private static void awaitGone(String command) {
    String count =
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null | grep -c \"^$1\"";
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!box.exec("sh", "-c", count, "sh", command).stdout().equals("0\n")) {
      assertTrue(System.nanoTime() < deadline, () -> "goes on: " + command);
    }
  }

  @Test
  void many_programs_run_at_once() {
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      String text = "number " + i;
      all.add(CompletableFuture.supplyAsync(() -> box.exec("echo", text).orThrow().stdout()));
    }
    for (int i = 0; i < all.size(); i++) {
      assertEquals("number " + i + "\n", all.get(i).join());
    }
  }

  @Test
  void a_terminal_has_a_size_that_can_change() throws IOException {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "tty >/dev/null && stty size; read go; stty size")
            .terminal(80, 24)
            .build();
    try (ExecProcess process = box.execStreaming(spec)) {
      StringBuilder seen = new StringBuilder();
      readUntil(process, seen, "24 80");
      process.resize(132, 43);
      process.stdin().write('\n');
      process.stdin().flush();
      readUntil(process, seen, "43 132");
      assertEquals(0, process.await());
    }
  }

  private static void readUntil(ExecProcess process, StringBuilder seen, String text)
      throws IOException {
    while (seen.indexOf(text) < 0) {
      int c = process.stdout().read();
      assertTrue(c >= 0, "ended with: " + seen);
      seen.append((char) c);
    }
  }

  @Test
  void a_signal_reaches_the_program() throws IOException {
    ExecSpec spec =
        ExecSpec.of(
            "sh",
            "-c",
            "trap 'echo got it; exit 5' USR1; echo ready; while :; do sleep 0.05; done");
    try (ExecProcess process = box.execStreaming(spec)) {
      assertEquals('r', process.stdout().read());
      process.signal(10);
      assertEquals(5, process.await());
      String rest = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(rest.endsWith("got it\n"), rest);
    }
  }

  @Test
  void closing_a_process_kills_it() {
    try (ExecProcess process = box.execStreaming(ExecSpec.of("sleep", "4712"))) {
      assertTrue(process.await(Duration.ofMillis(50)).isEmpty());
    }
    awaitGone("sleep 4712");
  }

  @Test
  void output_beyond_the_limit_is_an_error_and_not_a_full_heap() {
    StapesException e = assertThrows(StapesException.class, () -> box.exec("cat", "/dev/zero"));
    assertEquals(Kind.EXHAUSTED, e.kind());
  }

  @Test
  void the_console_shows_what_is_written_to_it() throws IOException {
    try (Console console = box.console()) {
      InputStream output = console.output();
      box.exec("sh", "-c", "echo a line for the console > /dev/console").orThrow();
      StringBuilder seen = new StringBuilder();
      while (seen.indexOf("a line for the console") < 0) {
        int c = output.read();
        assertTrue(c >= 0, seen.toString());
        seen.append((char) c);
      }
    }
  }

  @Test
  void exec_in_a_stopped_instance_is_a_conflict() {
    Instance stopped = BENCH.stapes().instances().create(BENCH.spec().build());
    assertEquals(
        Kind.CONFLICT, assertThrows(StapesException.class, () -> stopped.exec("true")).kind());
    stopped.delete();
  }
}
