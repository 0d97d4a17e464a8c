package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.model.ExecResult;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Limits;
import dev.stapes.model.Size;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each limit is tested by trying to exceed it. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class LimitsIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Instance launch(Consumer<Limits.Builder> limits) {
    return BENCH.stapes().instances().launch(BENCH.spec().limits(limits).build());
  }

  private static String cpusOf(Instance web) {
    return web.exec("sh", "-c", "grep Cpus_allowed_list /proc/self/status | cut -f2")
        .orThrow()
        .stdout()
        .strip();
  }

  @Test
  void more_memory_than_allowed_gets_the_program_killed_and_the_instance_goes_on() {
    Instance web = launch(l -> l.memory(Size.ofMebibytes(48)).swap(false));
    assertEquals(137, web.exec("sh", "-c", "tail /dev/zero").exitCode());
    assertTrue(web.state().oomKills() > 0);
    web.exec("true").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void more_processes_than_allowed_do_not_start() {
    Instance web = launch(l -> l.processes(20));
    String fork = "for i in $(seq 60); do sleep 5 & done 2>&1; wait";
    ExecResult full = web.exec("sh", "-c", fork);
    assertNotEquals(0, full.exitCode(), full.toString());
    InstanceState state = web.state();
    assertEquals(InstanceStatus.RUNNING, state.status(), full + " " + web.consoleLog().text());
    assertTrue(state.processes().orElseThrow() <= 20, state.toString());
    web.delete(Delete.FORCE);
  }

  /** Its first process wants to start some 300 ms after it has begun. */
  @Test
  void what_may_start_no_process_goes_on_when_it_may_again() {
    Instance web = BENCH.launch();
    OptionalLong first = web.state().pid();
    web.update(u -> u.limits(l -> l.processes(1)));
    while (web.state().uptime(Instant.now()).toMillis() < 1000) {
      assertEquals(first, web.state().pid(), web.consoleLog().text());
    }
    web.update(u -> u.config("limits.processes", ""));
    web.exec("true").orThrow();
    assertEquals(first, web.state().pid(), web.consoleLog().text());
    web.stop();
    web.delete();
  }

  @Test
  void a_count_of_cpus_is_that_many_and_a_set_is_that_set() {
    Instance one = launch(l -> l.cpus(1));
    assertTrue(cpusOf(one).matches("\\d+"), cpusOf(one));
    one.delete(Delete.FORCE);
    Instance pinned = launch(l -> l.cpuSet("1-1"));
    assertEquals("1", cpusOf(pinned));
    pinned.update(u -> u.limits(l -> l.cpuSet("0-1")));
    assertEquals("0-1", cpusOf(pinned));
    pinned.delete(Delete.FORCE);
  }

  @Test
  void a_hard_slice_of_the_cpu_is_not_exceeded() {
    Instance web = launch(l -> l.cpuQuota(Duration.ofMillis(10), Duration.ofMillis(100)));
    Duration before = web.state().cpu();
    web.exec("timeout", "2", "sh", "-c", "while :; do :; done");
    long used = web.state().cpu().minus(before).toMillis();
    assertTrue(used < 1000, "a tenth of two seconds, with much room: " + used + " ms");
    web.delete(Delete.FORCE);
  }

  @Test
  void limits_of_a_running_instance_change_at_once_and_can_be_removed() {
    Instance web = launch(l -> l.memory(Size.ofMebibytes(48)).swap(false).processes(20));
    web.update(u -> u.limits(l -> l.memory(Size.ofMebibytes(256)).processes(100)));
    web.exec("sh", "-c", "for i in $(seq 60); do sleep 0.2 & done; wait").orThrow();
    web.exec("sh", "-c", "dd if=/dev/zero of=/dev/null bs=100M count=1").orThrow();
    web.update(u -> u.config("limits.memory", "").config("limits.processes", ""));
    web.exec("sh", "-c", "for i in $(seq 150); do sleep 0.2 & done; wait").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void a_resource_limit_of_the_kernel_holds_for_every_program() {
    Instance web = launch(l -> l.kernel("nofile", 300));
    assertEquals("300\n", web.exec("sh", "-c", "ulimit -n").orThrow().stdout());
    web.delete(Delete.FORCE);
  }

  @Test
  void limits_hold_for_what_is_executed_and_not_for_the_first_process_only() {
    Instance web = launch(l -> l.memory(Size.ofMebibytes(48)).swap(false));
    Instance free = BENCH.launch();
    assertEquals(137, web.exec("sh", "-c", "tail /dev/zero").exitCode());
    free.exec("sh", "-c", "dd if=/dev/zero of=/dev/null bs=100M count=1").orThrow();
    web.delete(Delete.FORCE);
    free.delete(Delete.FORCE);
  }
}
