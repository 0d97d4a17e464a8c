package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ExecProcess;
import dev.stapes.Instance;
import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Programs in a virtual machine do what those in a container do. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ExecInGuestIT {
  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");
  private static Instance vm;

  @BeforeAll
  static void boot() throws IOException {
    vm = BENCH.launch();
  }

  @Test
  void a_terminal_has_a_size_that_can_change() throws IOException {
    ExecSpec spec =
        ExecSpec.builder(
                "sh", "-c", "tty >/dev/null && stty size; read go; stty size; echo no >&2; exit 9")
            .terminal(80, 24)
            .build();
    try (ExecProcess process = vm.execStreaming(spec)) {
      StringBuilder seen = new StringBuilder();
      readUntil(process, seen, "24 80");
      process.resize(132, 43);
      process.stdin().write('\n');
      process.stdin().flush();
      readUntil(process, seen, "43 132");
      readUntil(process, seen, "no");
      assertEquals(9, process.await());
      assertEquals(0, process.stderr().readAllBytes().length);
    }
    ExecSpec others =
        ExecSpec.builder("sh", "-c", "id -u; pwd; echo $TERM; cat; tty >/dev/null")
            .terminal(80, 24)
            .user(1000)
            .directory("/tmp")
            .build();
    assertEquals("1000\r\n/tmp\r\nxterm\r\n", vm.exec(others).orThrow().stdout());
  }

  @Test
  void what_is_typed_on_a_terminal_can_be_a_signal() throws IOException {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "trap 'echo caught; exit 7' INT; echo ready; read x; read y")
            .terminal(80, 24)
            .build();
    try (ExecProcess process = vm.execStreaming(spec)) {
      StringBuilder seen = new StringBuilder();
      readUntil(process, seen, "ready");
      process.stdin().write(3);
      process.stdin().flush();
      readUntil(process, seen, "caught");
      assertEquals(7, process.await());
    }
    ExecSpec sleeping =
        ExecSpec.builder("sh", "-c", "echo ready; exec sleep 4700").terminal(80, 24).build();
    try (ExecProcess process = vm.execStreaming(sleeping)) {
      readUntil(process, new StringBuilder(), "ready");
      process.stdin().write(3);
      process.stdin().flush();
      assertEquals(130, process.await());
    }
  }

  @Test
  void input_that_a_terminal_has_no_room_for_is_dropped_with_the_program() {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "stty -icanon -echo; exit 6").terminal(80, 24).build();
    byte[] input = new byte[1 << 20];
    Arrays.fill(input, (byte) 'x');
    assertEquals(6, vm.exec(spec, input).exitCode());
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
    String script = "trap 'echo got it; exit 5' USR1; echo ready; while :; do sleep 0.05; done";
    try (ExecProcess process = vm.execStreaming(ExecSpec.of("sh", "-c", script))) {
      assertEquals('r', process.stdout().read());
      process.signal(10);
      assertEquals(5, process.await());
      String rest = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(rest.endsWith("got it\n"), rest);
    }
  }

  @Test
  void codes_are_those_of_a_shell() {
    assertEquals(127, vm.exec("no-such-program").exitCode());
    assertEquals(126, vm.exec("/etc/passwd").exitCode());
    assertEquals(128 + 15, vm.exec("sh", "-c", "kill -TERM $$").exitCode());
    assertEquals(126, vm.exec(ExecSpec.builder("true").directory("/none").build()).exitCode());
  }

  @Test
  void it_has_the_user_directory_arguments_and_variables_that_were_asked_for() {
    ExecSpec spec =
        ExecSpec.builder(
                "sh",
                "-c",
                "id -u; id -g; pwd; echo \"$NAME\"; printf '%s|' \"$@\"",
                "sh",
                "a b",
                "'",
                "new\nline",
                "",
                "--",
                "é")
            .user(1000)
            .group(1001)
            .directory("/tmp")
            .environment("NAME", "it's\nme")
            .build();
    assertEquals(
        "1000\n1001\n/tmp\nit's\nme\na b|'|new\nline||--|é|", vm.exec(spec).orThrow().stdout());
  }

  @Test
  void a_megabyte_of_anything_comes_back_unchanged() {
    byte[] input = new byte[1 << 20];
    new Random(7).nextBytes(input);
    ExecResult result = vm.exec(ExecSpec.of("cat"), input).orThrow();
    assertArrayEquals(input, result.output().toArray());
  }

  @Test
  void without_input_it_is_at_its_end_from_the_start() throws IOException {
    assertEquals("", vm.exec("cat").orThrow().stdout());
    try (ExecProcess process = vm.execStreaming(ExecSpec.of("wc", "-c"))) {
      process.stdin().write(new byte[5]);
      process.stdin().close();
      String count = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals("5\n", count);
      assertEquals(0, process.await());
    }
  }

  @Test
  void a_program_that_takes_too_long_is_killed() {
    ExecSpec spec = ExecSpec.builder("sleep", "4711").timeout(Duration.ofMillis(500)).build();
    StapesException e = assertThrows(StapesException.class, () -> vm.exec(spec));
    assertEquals(Kind.TIMED_OUT, e.kind());
    awaitGone("sleep 4711");
    ExecSpec unread = ExecSpec.builder("sleep", "4714").timeout(Duration.ofMillis(500)).build();
    e = assertThrows(StapesException.class, () -> vm.exec(unread, new byte[1 << 20]));
    assertEquals(Kind.TIMED_OUT, e.kind());
    awaitGone("sleep 4714");
  }

  @Test
  void more_programs_than_slots_come_one_after_the_other() {
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      String text = "number " + i;
      all.add(CompletableFuture.supplyAsync(() -> vm.exec("echo", text).orThrow().stdout()));
    }
    for (int i = 0; i < all.size(); i++) {
      assertEquals("number " + i + "\n", all.get(i).join());
    }
  }

  @Test
  void closing_a_program_ends_it_whatever_it_is_doing() throws IOException {
    for (int i = 0; i < 8; i++) {
      try (ExecProcess process = vm.execStreaming(ExecSpec.of("sh", "-c", "exec cat /dev/zero"))) {
        assertEquals(0, process.stdout().read());
      }
    }
    try (ExecProcess process = vm.execStreaming(ExecSpec.of("sleep", "4712"))) {
      assertTrue(process.await(Duration.ofMillis(50)).isEmpty());
    }
    awaitGone("cat /dev/zero");
    awaitGone("sleep 4712");
    assertEquals("still\n", vm.exec("echo", "still").orThrow().stdout());
  }

  @Test
  void what_a_program_leaves_behind_takes_no_slot() throws IOException {
    String leaving = "exec 3<&0; setsid sleep 4713 & echo left; exit 4";
    for (int i = 0; i < 8; i++) {
      try (ExecProcess process = vm.execStreaming(ExecSpec.of("sh", "-c", leaving))) {
        assertEquals(OptionalInt.of(4), process.await(Duration.ofSeconds(20)));
        assertEquals("left\n", new String(process.stdout().readNBytes(5), StandardCharsets.UTF_8));
      }
    }
    assertEquals("0\n", vm.exec("sh", "-c", "killall sleep; echo $?").stdout());
    ExecSpec quiet = ExecSpec.of("sh", "-c", "exec 3<&0; sleep 4716 >/dev/null 2>&1 & exit 4");
    assertEquals(4, vm.exec(quiet, new byte[1 << 20]).exitCode());
    vm.exec("killall", "sleep"); // which complains of those that are just ending
    awaitGone("sleep 4716");
  }

  private static void awaitGone(String command) {
    String count =
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null | grep -c \"^$1\"";
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!vm.exec("sh", "-c", count, "sh", command).stdout().equals("0\n")) {
      assertTrue(System.nanoTime() < deadline, () -> "goes on: " + command);
    }
  }
}
