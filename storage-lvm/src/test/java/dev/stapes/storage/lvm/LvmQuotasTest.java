package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Gate;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits of a volume while others work on it: what waits for a mount looks at it again. */
class LvmQuotasTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final ThinVolume OLD = ThinVolume.fresh(A, VolumeFormat.EXT4, 64 << 20);
  private static final ThinVolume NEW = OLD.named(LvmNames.freshVolume()).sized(32 << 20);

  private final FakeHost host = LvmWorld.machine(new FakeLvm());
  private final Lvm lvm = new Lvm(host, "pool p", List.of());
  private final ThinPool thin =
      ThinPool.create(
          lvm, FakeLvm.GROUP, "thin", "mark", new ThinPoolPlan(256 << 20, 4 << 20, 64 << 10));
  private final Catalog catalog = new Catalog("pool p", PoolContent.none(thin.volumes()));
  private final PoolContext pool;
  private final VolumeMounts mounts;
  private Consumer<ThinVolume> appear = volume -> {};

  LvmQuotasTest(@TempDir Path directory) {
    pool =
        new PoolContext(
            host,
            Syscalls.system(),
            LvmWorld.kernel(),
            LvmWorld.SPEC,
            directory,
            LvmWorld.CONTENTS);
    mounts = new VolumeMounts(pool, volume -> appear.accept(volume), name -> {});
    thin.create(OLD);
    thin.create(NEW);
    catalog.put(OLD);
  }

  @AfterEach
  void close() {
    mounts.close();
    host.close();
  }

  private LvmQuotas quotas() {
    Backing backing = new GroupBacking(pool, FakeLvm.GROUP);
    PoolVolumes volumes = thin.volumes();
    ActiveVolumes active = new ActiveVolumes("pool p", volumes, List.of());
    Space space = Spaces.of(pool, volumes, backing, active, catalog::discarded);
    return new LvmQuotas(pool, volumes, catalog, mounts, space, new Gate("pool p"), active);
  }

  private List<String> resizes() {
    return host.commands().stream()
        .map(command -> command.arguments().get(1))
        .filter(command -> command.equals("lvextend") || command.equals("lvreduce"))
        .toList();
  }

  @Test
  void a_volume_that_was_made_smaller_meanwhile_is_not_made_larger() {
    appear = volume -> catalog.replaced(OLD, NEW);
    StapesException error =
        assertThrows(StapesException.class, () -> quotas().limit(A, Optional.empty()));
    assertEquals(Kind.BUSY, error.kind(), error.toString());
    assertEquals(Optional.of(NEW), catalog.find(A));
    assertEquals(List.of(), resizes());
  }

  @Test
  void what_others_noted_of_a_volume_meanwhile_is_kept() {
    ThinVolume marked = new ThinVolume(OLD.name(), A, OLD.format(), false, true, OLD.size());
    catalog.put(marked);
    appear = volume -> catalog.put(marked.withOwnUuid());
    quotas().limit(A, Optional.empty());
    ThinVolume now = catalog.get(A);
    assertTrue(now.size() > OLD.size(), now.toString());
    assertEquals(marked.withOwnUuid().sized(now.size()), now);
    assertEquals(List.of("lvextend"), resizes());
  }

  @Test
  void a_volume_that_others_made_larger_meanwhile_does_not_shrink() {
    ThinVolume large = OLD.sized(Size.ofGibibytes(1).bytes());
    appear = volume -> catalog.put(large);
    quotas().limit(A, Optional.empty());
    assertEquals(Optional.of(large), catalog.find(A));
    assertEquals(List.of(), resizes());
  }
}
