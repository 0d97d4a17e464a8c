package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.UNSUPPORTED;
import static dev.stapes.testkit.contract.Guest.run;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What else a running instance does: files, console, state, limits, freezing. */
abstract class InstanceMachineTests extends InstanceExecTests {

  @Test
  void a_machine_says_whose_it_is_and_since_when_it_runs() {
    Instant before = Instant.now();
    assertEquals(spec().id(), box().id());
    assertTrue(box().pid() > 1, "pid " + box().pid());
    // Start times of processes have the kernel's tick of 10 ms and the boot time's second.
    assertTrue(box().startedAt().isAfter(before.minusSeconds(5)), box().startedAt() + "");
    assertTrue(box().startedAt().isBefore(Instant.now().plusSeconds(5)), box().startedAt() + "");
  }

  @Test
  void the_state_is_what_it_uses() throws Exception {
    box();
    run(box(), "true");
    InstanceState state = box().state();
    assertEquals(InstanceStatus.RUNNING, state.status());
    assertEquals(box().pid(), state.pid().orElseThrow());
    assertEquals(box().startedAt(), state.startedAt().orElseThrow());
    assertFalse(state.cpu().isNegative());
    assertTrue(state.diskUsage().isEmpty());
    state.memory().ifPresent(memory -> assertTrue(memory.bytes() > 0, memory.toString()));
    state.processes().ifPresent(count -> assertTrue(count >= 1, count + " processes"));
    assertEquals(0, state.oomKills());
  }

  @Test
  void files_written_from_outside_are_there_inside() throws Exception {
    try (Tree files = box().files()) {
      TreePicture.write(files, "/home/note", "from outside");
      assertEquals("from outside", run(box(), "cat", "/home/note").out());
    }
  }

  @Test
  void files_written_inside_are_there_outside_with_the_owners_inside() throws Exception {
    ExecSpec write =
        ExecSpec.builder("sh", "-c", "echo mine >/tmp/mine").user(1000).group(1001).build();
    assertEquals(0, run(box(), write, new byte[0]).code());
    try (Tree files = box().files()) {
      Tree.Stat stat = files.stat("/tmp/mine").orElseThrow();
      assertEquals(1000, stat.uid());
      assertEquals(1001, stat.gid());
      assertEquals("mine\n", TreePicture.text(files, "/tmp/mine"));
    }
  }

  @Test
  void a_file_made_from_outside_belongs_to_root_inside_and_can_be_given_away() throws Exception {
    try (Tree files = box().files()) {
      TreePicture.write(files, "/home/given", "");
      assertEquals(0, files.stat("/home/given").orElseThrow().uid());
      files.chown("/home/given", 1000, 1001);
      files.chmod("/home/given", 0600);
      Tree.Stat stat = files.stat("/home/given").orElseThrow();
      assertEquals(1000, stat.uid());
      assertEquals(1001, stat.gid());
      assertEquals(0600, stat.mode());
    }
  }

  @Test
  void links_and_dots_stay_inside_the_instance() throws Exception {
    try (Tree files = box().files()) {
      files.symlink("/", "/tmp/absolute");
      files.symlink("../../../../..", "/tmp/dots");
      String inside = TreePicture.text(files, "/etc/passwd");
      assertTrue(inside != null && inside.contains("user:x:1000:1001"), String.valueOf(inside));
      assertEquals(inside, TreePicture.text(files, "/tmp/absolute/etc/passwd"));
      assertEquals(inside, TreePicture.text(files, "/tmp/dots/etc/passwd"));
      assertEquals(inside, TreePicture.text(files, "/../../../etc/passwd"));
    }
  }

  @Test
  void files_that_are_not_there_are_not_found() {
    try (Tree files = box().files()) {
      refused(NOT_FOUND, "/no/such/file", () -> files.read("/no/such/file").close());
      refused(INVALID, "/etc", () -> files.read("/etc").close());
    }
  }

  @Test
  void what_is_written_to_the_console_is_logged() throws Exception {
    Guest.awaitLogged(box(), "contract booted");
    assertFalse(Guest.log(box().consoleLog()).contains("typed: "));
  }

  @Test
  void what_is_typed_on_the_console_arrives_and_its_answer_comes_back() throws Exception {
    run(box(), "true"); // whoever reads from the console is there
    try (Machine.Console console = box().console()) {
      CompletableFuture<String> answer = Guest.readingUntil(console.output(), "typed: hello");
      Guest.type(console.input(), "hello\n");
      Guest.finish(answer);
      Guest.awaitLogged(box(), "typed: hello");
    }
    assertTrue(Guest.log(box().consoleLog()).contains("contract booted"));
  }

  @Test
  void the_console_s_output_ends_with_the_machine() throws Exception {
    try (Machine.Console console = box().console()) {
      CompletableFuture<byte[]> all = Guest.reading(console.output());
      box().kill();
      try {
        Guest.finish(all);
      } catch (IOException e) {
        // A terminal whose other end is gone may say so instead of ending quietly.
        assertTrue(all.isCompletedExceptionally());
      }
      assertTrue(all.isDone());
    }
  }

  @Test
  void a_frozen_machine_answers_when_it_is_let_go_on_and_not_before() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("cat"))) {
      CompletableFuture<String> first = Guest.readingUntil(exec.stdout(), "first\n");
      Guest.type(exec.stdin(), "first\n");
      Guest.finish(first);
      assertFalse(box().isFrozen());
      box().freeze();
      assertTrue(box().isFrozen());
      assertEquals(InstanceStatus.FROZEN, box().state().status());
      CompletableFuture<String> second = Guest.readingUntil(exec.stdout(), "second\n");
      Guest.type(exec.stdin(), "second\n");
      assertThrows(TimeoutException.class, () -> second.get(200, TimeUnit.MILLISECONDS));
      box().unfreeze();
      assertEquals("second\n", Guest.finish(second));
      assertFalse(box().isFrozen());
      assertEquals(InstanceStatus.RUNNING, box().state().status());
    }
  }

  @Test
  void freezing_again_and_thawing_what_is_not_frozen_do_nothing() throws Exception {
    box().unfreeze();
    box().freeze();
    box().freeze();
    assertTrue(box().isFrozen());
    box().unfreeze();
    assertFalse(box().isFrozen());
    assertEquals(0, run(box(), "true").code());
  }

  @Test
  void a_frozen_machine_can_be_killed() throws Exception {
    box().freeze();
    box().kill();
    assertFalse(Guest.end(box()).reboot());
  }

  @Test
  void a_changed_environment_holds_for_the_next_program() throws Exception {
    box();
    box().update(bench().spec("aaaa", Lifetime.THROWAWAY, Map.of("environment.NEW", "value")));
    String out = run(box(), "env").out();
    assertTrue(out.contains("NEW=value\n"), out);
  }

  @Test
  void a_limit_of_processes_holds_and_is_changed_live_or_is_refused() throws Exception {
    if (hasOwnKernel()) {
      refused(UNSUPPORTED, "limits.processes", () -> limited("limits.processes", "24").close());
      return;
    }
    Machine machine = limited("limits.processes", "24");
    Assumptions.assumeTrue(
        machine.state().processes().isPresent(), "processes are not accounted here");
    String many = "for i in $(seq 40); do sleep 1000 & done; echo all; kill $(jobs -p)";
    assertNotEquals("all\n", run(machine, "sh", "-c", many).out());
    machine.update(bench().spec("aaaa", Lifetime.THROWAWAY, Map.of("limits.processes", "400")));
    assertEquals("all\n", run(machine, "sh", "-c", many).out());
  }

  @Test
  void a_limit_of_memory_holds_and_is_changed_live() throws Exception {
    if (hasOwnKernel()) {
      aKernelHasTheMemoryOfTheLimit();
      return;
    }
    Machine machine = limited("limits.memory", "512MiB");
    Assumptions.assumeTrue(machine.state().memory().isPresent(), "memory is not accounted here");
    String[] command = {"dd", "if=/dev/zero", "of=/dev/null", "bs=128M", "count=1"};
    assertEquals(0, run(machine, command).code());
    machine.update(
        bench()
            .spec(
                "aaaa",
                Lifetime.THROWAWAY,
                Map.of("limits.memory", "48MiB", "limits.memory.swap", "false")));
    assertNotEquals(0, run(machine, command).code());
    assertEquals(0, run(machine, "true").code());
    assertTrue(machine.state().oomKills() >= 1, "no kill for memory was counted");
  }

  private void aKernelHasTheMemoryOfTheLimit() throws Exception {
    Machine machine = limited("limits.memory", "512MiB");
    long before = kibibytes(machine);
    assertTrue(before > 400 << 10 && before <= 512 << 10, before + " KiB");
    machine.update(bench().spec("aaaa", Lifetime.THROWAWAY, Map.of("limits.memory", "768MiB")));
    String grown = "while [ $(grep MemTotal /proc/meminfo | tr -dc 0-9) -lt ";
    run(machine, "sh", "-c", grown + (before + (255 << 10)) + " ]; do usleep 20000; done");
    assertTrue(kibibytes(machine) <= 768 << 10, before + " KiB");
  }

  private static long kibibytes(Machine machine) throws Exception {
    String total = run(machine, "grep", "MemTotal", "/proc/meminfo").out();
    return Long.parseLong(total.replaceAll("[^0-9]", ""));
  }

  private Machine limited(String key, String value) {
    return bench().driver().start(bench().spec("aaaa", Lifetime.THROWAWAY, Map.of(key, value)));
  }

  @Test
  void a_machine_s_programs_end_with_it() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of("sleep", "1000"))) {
      box().kill();
      OptionalInt code = exec.await(Duration.ofSeconds(30));
      assertTrue(code.isPresent() && code.getAsInt() != 0, code.toString());
    }
  }
}
