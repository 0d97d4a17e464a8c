package dev.stapes.testkit.contract;

import static dev.stapes.testkit.contract.Guest.run;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.Faults;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** How an instance ends, and how it outlives its driver. */
abstract class InstanceLifeTests extends InstanceMachineTests {

  @Test
  void a_machine_that_is_asked_to_shut_down_ends() throws Exception {
    assertFalse(box().exit().toCompletableFuture().isDone());
    box().requestShutdown();
    assertFalse(Guest.end(box()).reboot());
    assertEquals(Optional.empty(), bench().driver().adopt(spec()));
  }

  @Test
  void a_killed_machine_has_ended_and_says_how() throws Exception {
    box().kill();
    Machine.Exit exit = Guest.end(box());
    assertFalse(exit.reboot());
    assertFalse(exit.reason().isBlank());
    assertEquals(Optional.empty(), bench().driver().adopt(spec()));
  }

  @Test
  void killing_and_asking_what_has_ended_do_nothing() throws Exception {
    box().kill();
    Guest.end(box());
    box().kill();
    box().requestShutdown();
    assertTrue(box().exit().toCompletableFuture().isDone());
  }

  @Test
  void nothing_is_executed_in_a_machine_that_has_ended() throws Exception {
    box().kill();
    Guest.end(box());
    refused(StapesException.Kind.UNAVAILABLE, "", () -> box().exec(ExecSpec.of("true")).close());
  }

  @Test
  void a_machine_that_ends_by_itself_says_so() throws Exception {
    try (Machine.Exec exec = box().exec(ExecSpec.of(end().toArray(String[]::new)))) {
      assertFalse(Guest.end(box()).reboot());
      assertTrue(exec.await(Guest.LONG).isPresent());
    }
  }

  @Test
  void a_machine_that_reboots_goes_on_with_its_own_kernel_else_it_says_so_and_ends()
      throws Exception {
    if (hasOwnKernel()) {
      assertEquals(0, run(box(), "touch", "/tmp/before").code());
      // Who lets go of a program kills it: it is held until it has done its work.
      try (Machine.Exec rebooting = box().exec(ExecSpec.of("reboot", "-f"))) {
        String booted = "while [ -e /tmp/before ]; do usleep 20000; done";
        while (!succeeds(booted)) {
          Thread.onSpinWait(); // the one that asked ended with the boot before
        }
      }
      assertFalse(box().exit().toCompletableFuture().isDone());
      return;
    }
    try (Machine.Exec exec = box().exec(ExecSpec.of("reboot", "-f"))) {
      assertTrue(Guest.end(box()).reboot());
      assertTrue(exec.await(Guest.LONG).isPresent());
    }
    assertEquals(Optional.empty(), bench().driver().adopt(spec()));
  }

  private boolean succeeds(String script) throws Exception {
    try {
      return run(box(), "sh", "-c", script).code() == 0;
    } catch (StapesException e) {
      boolean rebooted = // before it took the command, or after it and before it began
          e.kind() == StapesException.Kind.UNAVAILABLE
              || e.kind() == StapesException.Kind.TIMED_OUT;
      assertTrue(rebooted, e.toString());
      return false;
    }
  }

  @Test
  void an_ended_machine_can_be_started_again_with_the_files_that_it_had() throws Exception {
    assertEquals(0, run(box(), "sh", "-c", "echo kept >/home/kept; sync").code());
    box().kill();
    Guest.end(box());
    Machine again = bench().driver().start(spec());
    assertEquals("kept\n", run(again, "cat", "/home/kept").out());
    assertTrue(again.exit() != null && !again.exit().toCompletableFuture().isDone());
  }

  @Test
  void what_does_not_run_is_not_adopted() {
    assertEquals(Optional.empty(), bench().driver().adopt(spec()));
  }

  @Test
  void a_running_machine_is_adopted_a_second_time_and_is_the_same() throws Exception {
    Machine second = bench().driver().adopt(durable("dddd")).orElse(null);
    assertEquals(null, second);
    Machine first = bench().driver().start(durable("dddd"));
    second = bench().driver().adopt(durable("dddd")).orElseThrow();
    assertEquals(first.pid(), second.pid());
    second.close();
    second.close();
    assertEquals(0, run(first, "true").code());
    first.kill();
    Guest.end(first);
  }

  @Test
  void a_durable_machine_outlives_its_driver_and_is_adopted_by_the_next() throws Exception {
    Machine before = bench().driver().start(durable("dddd"));
    assertEquals(0, run(before, "sh", "-c", "echo kept >/home/kept; sync").code());
    before.close();
    bench().reopen();
    Machine after = bench().driver().adopt(durable("dddd")).orElseThrow();
    assertEquals(before.id(), after.id());
    assertEquals(before.pid(), after.pid());
    assertEquals(before.startedAt(), after.startedAt());
    assertEquals("kept\n", run(after, "cat", "/home/kept").out());
    try (Tree files = after.files()) {
      assertEquals("kept\n", TreePicture.text(files, "/home/kept"));
    }
    try (Machine.Console console = after.console()) {
      var answer = Guest.readingUntil(console.output(), "typed: again");
      Guest.type(console.input(), "again\n");
      Guest.finish(answer);
    }
    after.freeze();
    assertTrue(after.isFrozen());
    after.unfreeze();
    after.requestShutdown();
    assertFalse(Guest.end(after).reboot());
    assertEquals(Optional.empty(), bench().driver().adopt(durable("dddd")));
  }

  @Test
  void the_log_of_a_durable_machine_is_kept_where_the_scope_says_over_its_starts()
      throws Exception {
    for (int start = 1; start <= 4; start++) {
      Machine machine = bench().driver().start(durable("dddd"));
      assertEquals(bench().consoleLog("dddd"), machine.consoleLog());
      run(machine, "true"); // whoever reads from the console is there
      try (Machine.Console console = machine.console()) {
        var answer = Guest.readingUntil(console.output(), "typed: start " + start);
        Guest.type(console.input(), "start " + start + "\n");
        Guest.finish(answer);
      }
      Guest.awaitLogged(machine, "typed: start " + start);
      machine.kill();
      Guest.end(machine);
      String log = Guest.log(bench().consoleLog("dddd"));
      for (int before = 1; before <= start; before++) {
        assertTrue(log.contains("typed: start " + before), log);
      }
    }
  }

  @Test
  void the_log_of_a_throwaway_machine_goes_with_it() throws Exception {
    Machine.Spec spec = bench().spec("tttt", Lifetime.THROWAWAY, Map.of());
    Machine machine = bench().driver().start(spec);
    Guest.awaitLogged(machine, "contract booted");
    assertFalse(Files.exists(bench().consoleLog("tttt").resolveSibling("")));
    machine.kill();
    Guest.end(machine);
    bench().driver().adopt(spec); // waits until all of it is gone
    assertEquals("", Guest.log(machine.consoleLog()));
  }

  @Test
  void an_adopted_machine_can_be_killed() throws Exception {
    bench().driver().start(durable("dddd")).close();
    bench().reopen();
    Machine after = bench().driver().adopt(durable("dddd")).orElseThrow();
    after.kill();
    Guest.end(after);
    assertEquals(Optional.empty(), bench().driver().adopt(durable("dddd")));
  }

  @Test
  void a_frozen_machine_is_adopted_frozen() throws Exception {
    Machine before = bench().driver().start(durable("dddd"));
    before.freeze();
    bench().reopen();
    Machine after = bench().driver().adopt(durable("dddd")).orElseThrow();
    assertTrue(after.isFrozen());
    after.unfreeze();
    assertEquals(0, run(after, "true").code());
  }

  @Test
  void a_throwaway_machine_dies_with_its_driver() throws Exception {
    Machine machine = box();
    Machine stays = bench().driver().start(durable("dddd"));
    bench().reopen();
    Guest.end(machine);
    assertEquals(Optional.empty(), bench().driver().adopt(spec()));
    assertTrue(bench().driver().adopt(durable("dddd")).isPresent());
    stays.close();
  }

  @Test
  void closing_a_driver_again_does_nothing() {
    InstanceDriver driver = bench().driver();
    box();
    driver.close();
    driver.close();
    bench().reopen();
    assertEquals(Optional.empty(), bench().driver().adopt(spec()));
  }

  @Test
  void collecting_ends_what_is_not_to_be_kept_and_nothing_else() throws Exception {
    Machine known = bench().driver().start(durable("dddd"));
    Machine unknown = bench().driver().start(durable("eeee"));
    bench().driver().collect(Set.of(new InstanceId("dddd"), new InstanceId("ffff")));
    Guest.end(unknown);
    assertEquals(Optional.empty(), bench().driver().adopt(durable("eeee")));
    assertEquals(0, run(known, "true").code());
  }

  @Test
  void collecting_finds_what_a_driver_before_left() throws Exception {
    bench().driver().start(durable("dddd")).close();
    bench().driver().start(durable("eeee")).close();
    bench().reopen();
    bench().driver().collect(Set.of(new InstanceId("eeee")));
    assertEquals(Optional.empty(), bench().driver().adopt(durable("dddd")));
    Machine kept = bench().driver().adopt(durable("eeee")).orElseThrow();
    assertEquals(0, run(kept, "true").code());
  }

  @Test
  void collecting_where_there_is_nothing_does_nothing() {
    bench().driver().collect(Set.of());
    bench().driver().collect(Set.of(new InstanceId("dddd")));
    assertEquals(Optional.empty(), bench().driver().adopt(durable("dddd")));
  }

  @Test
  void different_machines_start_run_and_end_at_once() throws Exception {
    List<Machine.Spec> specs = new ArrayList<>();
    for (String id : List.of("mmm0", "mmm1", "mmm2", "mmm3")) {
      specs.add(bench().spec(id, Lifetime.THROWAWAY, Map.of()));
    }
    List<Callable<String>> lives = new ArrayList<>();
    for (Machine.Spec spec : specs) {
      lives.add(
          () -> {
            Machine machine = bench().driver().start(spec);
            String out = run(machine, "echo", spec.name()).out();
            machine.kill();
            Guest.end(machine);
            return out.strip();
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(lives.size());
    try {
      List<String> names = new ArrayList<>();
      for (Future<String> life : threads.invokeAll(lives)) {
        names.add(life.get());
      }
      assertEquals(specs.stream().map(Machine.Spec::name).toList(), names);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void machines_do_not_see_each_other_s_files() throws Exception {
    Machine other = bench().driver().start(bench().spec("bbbb", Lifetime.THROWAWAY, Map.of()));
    assertEquals(0, run(box(), "sh", "-c", "echo kept >/home/kept; sync").code());
    try (Tree files = other.files()) {
      assertEquals(Optional.empty(), files.stat("/home/kept"));
    }
  }

  @Test
  void a_start_that_fails_at_any_effect_leaves_nothing() throws Exception {
    assertTrue(new Start(this).forEveryEffect() >= 0);
  }

  Machine.Spec durable(String id) {
    return bench().spec(id, Lifetime.DURABLE, Map.of());
  }

  /** A start with a fault in the host or the driver's own calls. */
  private record Start(InstanceLifeTests contract) implements EffectScenario<InstanceBench> {

    @Override
    public InstanceBench prepare(Faults faults) {
      InstanceBench world = InstanceBench.open(contract, faults);
      spec(world);
      return world;
    }

    @Override
    public void act(InstanceBench world) {
      world.driver().start(spec(world)).close();
    }

    /** Only a driver that was closed has nothing under way any more. */
    @Override
    public Object state(InstanceBench world) {
      world.reopen();
      Optional<Machine> running = world.driver().adopt(spec(world));
      running.ifPresent(Machine::close);
      return running.isPresent() ? "it runs" : "it does not run: " + world.leftovers();
    }

    @Override
    public void dispose(InstanceBench world) {
      world.close();
    }

    private static Machine.Spec spec(InstanceBench world) {
      return world.spec("dddd", Lifetime.DURABLE, Map.of());
    }
  }
}
