package dev.stapes.storage.fs;

import static dev.stapes.storage.fs.PoolBench.A;
import static dev.stapes.storage.fs.PoolBench.B;
import static dev.stapes.storage.fs.PoolBench.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any system call of an operation fails, one after the other: it is done, or it is not there. */
@RequiresRoot
@Timeout(300)
class SyscallFaultsIT {
  private final Faults faults = new Faults();

  @Test
  @RequiresKernel("btrfs")
  @RequiresKernel("loop")
  @RequiresTool("mkfs.btrfs")
  void btrfs_does_a_thing_wholly_or_not_at_all() {
    PoolSpec spec = PoolSpec.of("test", "btrfs").size(Size.ofMebibytes(256));
    everyCallFails(BtrfsProvider::new, spec);
  }

  @Test
  void dir_does_a_thing_wholly_or_not_at_all() {
    everyCallFails(DirProvider::new, PoolSpec.of("test", "dir"));
  }

  @Test
  @RequiresKernel("overlay")
  void overlay_does_a_thing_wholly_or_not_at_all() {
    everyCallFails(OverlayProvider::new, PoolSpec.of("test", "overlay"));
  }

  private void everyCallFails(
      Function<Supplier<Syscalls>, StorageDriverProvider> driver, PoolSpec spec) {
    StorageDriverProvider provider = driver.apply(() -> FaultySyscalls.all(faults));
    try (PoolBench bench = new PoolBench(provider, spec)) {
      bench.pool.create(A);
      bench.write(A, "file", "content");
      int calls = 0;
      calls += each(bench, pool -> pool.create(B), Map.of(A, "content", B, ""));
      calls += each(bench, pool -> pool.copy(A, B, false), both(B));
      calls += each(bench, pool -> pool.copy(A, C, true), both(C));
      calls +=
          each(bench, pool -> pool.scratch().orElseThrow().create(A, B, Optional.empty()), both(B));
      bench.pool.copy(A, B, false);
      calls += each(bench, pool -> pool.discard(B), Map.of(A, "content"));
      assertTrue(calls > 50, "only " + calls + " calls failed");
    }
  }

  private static Map<VolumeId, String> both(VolumeId copy) {
    return Map.of(A, "content", copy, "content");
  }

  /** What an action changes is taken back each time. */
  private int each(PoolBench bench, Consumer<StoragePool> action, Map<VolumeId, String> done) {
    Map<VolumeId, String> before = state(bench);
    faults.count();
    action.accept(bench.pool);
    int calls = faults.effects();
    assertEquals(new TreeMap<>(done), state(bench));
    restore(bench, before);
    for (int n = 1; n <= calls; n++) {
      faults.failNth(n);
      boolean failed = false;
      try {
        action.accept(bench.pool);
      } catch (StapesException e) {
        failed = true;
      }
      faults.count();
      String what = "call " + n + " of " + calls + (failed ? " failed" : " made no difference");
      assertEquals(failed ? before : new TreeMap<>(done), state(bench), what);
      restore(bench, before);
    }
    return calls;
  }

  private static void restore(PoolBench bench, Map<VolumeId, String> before) {
    for (VolumeId id : bench.pool.list()) {
      if (!before.containsKey(id)) {
        bench.pool.discard(id);
      }
    }
    for (VolumeId id : before.keySet()) {
      if (!bench.pool.exists(id)) {
        bench.pool.copy(A, id, false);
      }
    }
    bench.pool.reclaim();
  }

  private static Map<VolumeId, String> state(PoolBench bench) {
    Map<VolumeId, String> state = new TreeMap<>();
    for (VolumeId id : bench.pool.list()) {
      state.put(id, bench.names(id, "/").contains("file") ? bench.read(id, "file") : "");
    }
    return state;
  }
}
