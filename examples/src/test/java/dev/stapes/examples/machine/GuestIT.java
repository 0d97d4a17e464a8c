package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A virtual machine does what a container does. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@org.junit.jupiter.api.Timeout(value = 50, threadMode = org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD)
class GuestIT {
  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");

  @Test
  void it_boots_executes_survives_a_new_jvm_and_shuts_down() throws Exception {
    long begun = System.nanoTime();
    Instance vm = BENCH.launch();
    assertEquals("hello\n", vm.exec("echo", "hello").orThrow().stdout());
    System.err.println("booted after " + (System.nanoTime() - begun) / 1_000_000);
    for (int i = 0; i < 5; i++) {
      long at = System.nanoTime();
      assertEquals(3, vm.exec("sh", "-c", "echo out; echo err >&2; exit 3").exitCode());
      System.err.println("exec " + (System.nanoTime() - at) / 1_000_000);
    }
    assertEquals(127, vm.exec("no-such-program").exitCode());
    assertEquals("1000\n", vm.exec(ExecSpec.builder("id", "-u").user(1000).build()).orThrow().stdout());
    String name = vm.name();
    vm = BENCH.reopen().instances().get(name);
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertEquals("again\n", vm.exec("echo", "again").orThrow().stdout());
    vm.stop(Stop.graceful(Duration.ofSeconds(30)));
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
  }
}
