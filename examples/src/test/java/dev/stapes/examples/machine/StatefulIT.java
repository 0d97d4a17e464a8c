package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Memory;
import dev.stapes.Stop;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.time.Year;
import java.time.ZoneOffset;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A guest goes on from memory that was saved; one boot serves all of it but the last. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@TestMethodOrder(MethodOrderer.MethodName.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StatefulIT {

  /** Counts in memory, and leaves no port of its parent's open. */
  private static final String COUNTER =
      "mount -t tmpfs none /mnt && (setsid sh -c 'i=0; while :; do i=$((i+1)); "
          + "echo $i > /mnt/n.new; mv /mnt/n.new /mnt/n; usleep 20000; done' "
          + "<&- >/dev/null 2>&1 & echo $! > /mnt/pid)";

  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");

  private static Instance vm() {
    return BENCH
        .stapes()
        .instances()
        .find("counting")
        .orElseGet(
            () -> {
              Instance vm =
                  BENCH
                      .stapes()
                      .instances()
                      .launch(BENCH.spec("counting").config("migration.stateful", "true").build());
              vm.exec("sh", "-c", COUNTER).orThrow();
              count(vm);
              return vm;
            });
  }

  private static String output(Instance vm, String script) {
    return vm.exec("sh", "-c", script).orThrow().stdout().strip();
  }

  /** Waits until it counts, and tells how far it is. */
  private static long count(Instance vm) {
    return Long.parseLong(
        output(
            vm, "a=$(cat /mnt/n); while [ \"$(cat /mnt/n)\" = \"$a\" ]; do :; done; cat /mnt/n"));
  }

  @Test
  void a_it_is_stopped_with_its_memory_and_goes_on_with_the_right_time() {
    Instance vm = vm();
    vm.exec("date", "-s", "2001-02-03 04:05").orThrow();
    long before = count(vm);
    vm.stop(Stop.STATEFUL);
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    assertTrue(vm.info().stateful());
    vm.start();
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertFalse(vm.info().stateful());
    assertEquals(Year.now(ZoneOffset.UTC).toString(), output(vm, "date -u +%Y"));
    long after = count(vm);
    assertTrue(after > before && after < before + 10_000, before + " then " + after);
    vm.stop(Stop.STATEFUL);
    Instance again = BENCH.reopen().instances().get("counting");
    again.start();
    assertTrue(count(again) > after);
  }

  @Test
  void b_it_goes_back_to_a_snapshot_with_its_memory_and_a_copy_of_that_is_itself() {
    Instance vm = vm();
    vm.exec("sh", "-c", "echo before > /root/what; echo kept > /mnt/what; sync").orThrow();
    vm.snapshots().create(SnapshotSpec.of("then").withMemory());
    assertTrue(vm.snapshots().get("then").stateful());
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    long then = count(vm);
    vm.exec("sh", "-c", "echo after > /root/what; echo lost > /mnt/what; sync").orThrow();
    vm.exec("sh", "-c", "kill -9 $(cat /mnt/pid)").orThrow();
    vm.snapshots().restore("then", Memory.KEPT);
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertEquals("before kept", output(vm, "echo $(cat /root/what /mnt/what)"));
    assertTrue(count(vm) < then + 10_000);

    String name = vm.name();
    Instance copy = vm.snapshots().copyTo("then", name + "-copy", Memory.KEPT);
    assertTrue(copy.info().stateful());
    copy.start();
    assertEquals("before kept", output(copy, "echo $(cat /root/what /mnt/what)"));
    assertEquals(
        name + "-copy",
        output(copy, "while [ $(hostname) != " + name + "-copy ]; do usleep 1000; done; hostname"));
    vm.exec("sh", "-c", "echo mine > /root/what; sync").orThrow();
    assertEquals("before", output(copy, "cat /root/what"));
    assertTrue(count(copy) > 0);
    copy.delete(Delete.FORCE);
    refused(Kind.INVALID, "it has no memory", () -> vm.snapshots().restore("plain", Memory.KEPT));
  }

  private static void refused(Kind kind, String words, Runnable call) {
    vm().snapshots().create("plain");
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void c_a_snapshot_of_a_running_guest_has_what_was_not_synced_and_the_guest_goes_on() {
    Instance vm = vm();
    vm.exec("sh", "-c", "echo unsynced > /root/late").orThrow();
    vm.snapshots().create("late");
    vm.exec("sh", "-c", "echo x > /root/more; sync").orThrow(); // thawed
    vm.snapshots().restore("late"); // boots
    assertEquals("unsynced", output(vm, "cat /root/late"));
    assertEquals("", output(vm, "cat /root/more 2>/dev/null || true"));
  }
}
