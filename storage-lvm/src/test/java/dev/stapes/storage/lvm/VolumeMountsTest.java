package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which volume is mounted where another one takes its place. */
class VolumeMountsTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final ThinVolume OLD = ThinVolume.fresh(A, VolumeFormat.EXT4, 1 << 20);
  private static final ThinVolume NEW = OLD.named(LvmNames.freshVolume());

  private final FakeHost host = LvmWorld.machine(new FakeLvm());
  private final PoolVolumes thin =
      PoolVolumes.thin(new Lvm(host, "pool p", List.of()), FakeLvm.GROUP, "thin");
  private final List<String> appeared = new ArrayList<>();
  private final VolumeMounts mounts;
  private final Path base;
  private ThinVolume current = OLD;

  VolumeMountsTest(@TempDir Path directory) {
    base = directory;
    mounts =
        new VolumeMounts(
            new PoolContext(host, Syscalls.system(), LvmWorld.SPEC, directory, LvmWorld.CONTENTS),
            volume -> appeared.add(volume.name()),
            name -> {});
  }

  @AfterEach
  void close() {
    mounts.close();
    host.close();
  }

  /** Gives the old one, and has the new one in its place by then. */
  private Supplier<ThinVolume> replacedAfterTheFirstLook() {
    List<ThinVolume> looks = new ArrayList<>(List.of(OLD));
    return () -> looks.isEmpty() ? NEW : looks.remove(0);
  }

  @Test
  void who_waited_gets_the_volume_that_is_there_now() {
    VolumeMounts.Use use = mounts.use(replacedAfterTheFirstLook(), thin);
    assertEquals(NEW, use.volume());
    assertEquals(List.of(NEW.name()), appeared);
    assertTrue(use.files().toString().contains(NEW.name()));
    mounts.release(use);
    assertEquals(true, mounts.unmounted(OLD, () -> true));
  }

  @Test
  void a_use_that_ends_late_is_not_one_of_what_came_after() {
    VolumeMounts.Use first = mounts.use(() -> current, thin);
    mounts.forget(OLD);
    VolumeMounts.Use second = mounts.use(() -> current, thin);
    mounts.release(first);
    StapesException error =
        assertThrows(StapesException.class, () -> mounts.unmounted(OLD, () -> true));
    assertEquals(Kind.BUSY, error.kind(), error.toString());
    mounts.release(second);
    assertEquals(true, mounts.unmounted(OLD, () -> true));
    current = NEW;
    assertEquals(NEW, mounts.with(() -> current, thin, VolumeMounts.Use::volume));
  }

  @Test
  void a_volume_that_was_found_before_it_was_discarded_is_forgotten_again() {
    mounts.forget(OLD);
    mounts.forgetAgain(OLD);
    mounts.files(() -> current, thin);
    assertEquals(1, host.mounts().below(base).size());
    mounts.forgetAgain(OLD);
    assertEquals(List.of(), host.mounts().below(base));
  }
}
