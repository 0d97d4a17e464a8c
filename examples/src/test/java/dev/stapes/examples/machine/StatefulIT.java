package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.InstanceStatus;
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

/** A guest goes on from memory that was saved. All of it with one boot. */
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
                      .launch(
                          BENCH.spec("counting").config("migration.stateful", "true").build());
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
        output(vm, "a=$(cat /mnt/n); while [ \"$(cat /mnt/n)\" = \"$a\" ]; do :; done; cat /mnt/n"));
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
}
