package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.WarmPool;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import dev.stapes.model.WarmPoolSpec;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers that wait to be taken, on the real kernel. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresKernel("btrfs")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WarmPoolIT {
  private static final Duration SOON = Duration.ofMinutes(1);

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static WarmPoolSpec spec(Lifetime lifetime, int size) {
    return WarmPoolSpec.of(
        InstanceSpec.container("warm", "busybox")
            .lifetime(lifetime)
            .limits(limits -> limits.memory(Size.ofMebibytes(64)).processes(50))
            .build(),
        size);
  }

  private static String memory(Instance box) throws IOException {
    return HostView.cgroup(box, "memory", "memory.limit_in_bytes").strip();
  }

  @Test
  @RequiresKernel("cgroup-v1")
  void what_is_taken_runs_programs_at_once_within_the_limits_that_it_was_taken_with()
      throws IOException {
    try (WarmPool pool = BENCH.stapes().instances().warmPool(spec(Lifetime.THROWAWAY, 2))) {
      pool.awaitFull(SOON);
      for (int i = 1; i <= 4; i++) {
        long mebibytes = 32L * i;
        Instance box =
            pool.take(
                BENCH.name(),
                update -> update.limits(limits -> limits.memory(Size.ofMebibytes(mebibytes))));
        assertEquals("fresh\n", box.exec("sh", "-c", "[ -e /used ] || echo fresh").stdout());
        box.exec("touch", "/used").orThrow();
        assertEquals(Long.toString(mebibytes << 20), memory(box));
        box.delete(Delete.FORCE);
      }
      pool.awaitFull(SOON);
      assertEquals(4, pool.info().taken() + pool.info().missed());
    }
    assertEquals(List.of(), BENCH.stapes().instances().list());
  }

  @Test
  void durable_ones_wait_for_the_next_jvm_with_their_agents() {
    WarmPool before = BENCH.stapes().instances().warmPool(spec(Lifetime.DURABLE, 2));
    before.awaitFull(SOON);
    List<Long> waiting =
        BENCH.stapes().instances().list().stream()
            .map(info -> BENCH.stapes().instances().get(info.name()).state().pid().orElseThrow())
            .toList();
    Stapes next = BENCH.reopen();
    WarmPool pool = next.instances().warmPool(spec(Lifetime.DURABLE, 2));
    assertEquals(2, pool.info().ready());
    Instance box = pool.take(BENCH.name());
    assertTrue(waiting.contains(box.state().pid().orElseThrow()));
    assertEquals("here\n", box.exec("echo", "here").orThrow().stdout());
    pool.awaitFull(SOON);
    assertNotEquals(0, pool.info().taken());
    pool.delete();
    box.delete(Delete.FORCE);
    assertEquals(List.of(), next.instances().list());
  }
}
