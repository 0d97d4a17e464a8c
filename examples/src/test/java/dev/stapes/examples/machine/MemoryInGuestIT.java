package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A machine has more memory and less while it runs. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MemoryInGuestIT {
  private static final String TOTAL =
      "$(sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)";

  @RegisterExtension final DriverBench bench = new DriverBench();

  private static Machine.Spec with(Machine.Spec spec, String memory) {
    return DriverBench.with(spec, Map.of(), spec.config().with("limits.memory", memory));
  }

  @Test
  void it_grows_beyond_what_it_was_started_with_and_shrinks_again() {
    Machine.Spec spec = bench.spec(Map.of());
    Machine vm = bench.start(spec);
    long before = Long.parseLong(DriverBench.run(vm, "echo " + TOTAL));
    assertTrue(before < 384 << 10, before + " kB");
    vm.update(with(spec, "640MiB"));
    DriverBench.await(vm, "[ " + TOTAL + " -ge " + (before + (255 << 10)) + " ]");

    StapesException e = assertThrows(StapesException.class, () -> vm.update(with(spec, "64TiB")));
    assertEquals(Kind.UNSUPPORTED, e.kind(), e.toString());
    assertTrue(e.toString().contains("64TiB"), e.toString());

    Machine again = bench.reopen(with(spec, "640MiB"));
    again.update(with(spec, "384MiB")); // the guest gives back what it does not use
    DriverBench.await(again, "[ " + TOTAL + " -lt " + (before + (128 << 10)) + " ]");
  }
}
