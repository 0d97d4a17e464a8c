package dev.stapes.linux.cgroup;

import static dev.stapes.linux.cgroup.GroupOnTheMachine.LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.RequiresRoot;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Life of a group on this machine's own layout. */
@RequiresRoot
class CgroupIT {
  private final GroupOnTheMachine machine = new GroupOnTheMachine();
  private final Cgroup group = machine.group;

  @AfterEach
  void nothing_is_left() throws Exception {
    machine.close();
  }

  @Test
  void a_created_group_is_in_every_hierarchy_and_takes_processes() throws Exception {
    assertEquals(machine.layout.hierarchies().size(), group.directories().size());
    assertEquals(List.of(), group.processes());
    GroupOnTheMachine.Child child = machine.start("cat");
    assertEquals(List.of(child.process().pid()), group.processes());
    assertEquals(1, group.usage().processes().orElseThrow());
    assertTrue(machine.layout.groups(group.name()).contains(group.name()));
  }

  @Test
  void removal_waits_for_processes_that_are_on_their_way_out_even_deep_within() throws Exception {
    Cgroup within = machine.layout.group(group.name() + "/system.slice/cat.service");
    within.create();
    GroupOnTheMachine.Child child = machine.startIn(within, "cat");
    assertEquals(List.of(child.process().pid()), group.processes());
    child.input().close();
    group.remove(LONG);
    assertFalse(group.exists());
    assertEquals(0, child.exitCode());
  }

  @Test
  void removal_of_a_group_that_lives_fails_and_names_its_processes() throws Exception {
    GroupOnTheMachine.Child child = machine.start("cat");
    CgroupException e =
        assertThrows(CgroupException.class, () -> group.remove(Duration.ofMillis(20)));
    assertEquals("rmdir", e.call());
    String who = ", after PT0.02S with processes " + child.process().pid();
    assertTrue(e.reason().endsWith(who), e.reason());
    assertTrue(child.process().isAlive());
  }

  @Test
  void a_frozen_process_does_nothing_until_it_is_thawed() throws Exception {
    GroupOnTheMachine.Child child = machine.start("cat");
    child.say("first");
    assertEquals("first", child.output().readLine());
    assertFalse(group.isFrozen());
    group.freeze(LONG);
    assertTrue(group.isFrozen());
    child.say("second");
    assertFalse(child.output().ready());
    group.unfreeze();
    assertEquals("second", child.output().readLine());
    assertFalse(group.isFrozen());
  }

  @Test
  void killing_ends_all_or_says_whom_to_kill() throws Exception {
    GroupOnTheMachine.Child one = machine.start("cat");
    GroupOnTheMachine.Child two = machine.start("cat");
    for (long pid : group.kill()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
    assertEquals(128 + 9, one.exitCode());
    assertEquals(128 + 9, two.exitCode());
    assertTrue(group.awaitEmpty(LONG));
  }

  @Test
  void waiting_for_a_living_group_to_empty_ends_with_the_time() throws Exception {
    GroupOnTheMachine.Child child = machine.start("cat");
    assertFalse(group.awaitEmpty(Duration.ofMillis(20)));
    child.input().close();
    assertTrue(group.awaitEmpty(LONG));
  }

  @Test
  void a_process_that_is_none_cannot_be_attached() {
    CgroupException e = assertThrows(CgroupException.class, () -> group.attach(Integer.MAX_VALUE));
    assertEquals("write", e.call());
    assertEquals(Integer.toString(Integer.MAX_VALUE), e.value());
    assertEquals("cgroup.procs", Path.of(e.path()).getFileName().toString());
  }
}
