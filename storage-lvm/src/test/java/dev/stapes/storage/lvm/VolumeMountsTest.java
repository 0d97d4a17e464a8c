package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
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
  private final List<String> vanished = new ArrayList<>();
  private final Faults faults = new Faults();
  private final VolumeMounts mounts;

  /** Which keep nothing that nobody uses. */
  private final VolumeMounts shared;

  private final Path base;
  private ThinVolume current = OLD;

  VolumeMountsTest(@TempDir Path directory) {
    base = directory;
    mounts =
        new VolumeMounts(
            new PoolContext(
                host,
                Syscalls.system(),
                LvmWorld.kernel(),
                LvmWorld.SPEC,
                directory,
                LvmWorld.CONTENTS),
            volume -> appeared.add(volume.name()),
            vanished::add);
    shared =
        new VolumeMounts(
            new PoolContext(
                faults.wrap(Host.class, host),
                Syscalls.system(),
                LvmWorld.kernel(),
                PoolSpec.of("test", "lvmcluster"),
                directory.resolve("shared"),
                LvmWorld.CONTENTS),
            volume -> appeared.add(volume.name()),
            vanished::add);
  }

  @AfterEach
  void close() {
    mounts.close();
    shared.close();
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

  @Test
  void a_device_that_appeared_goes_where_its_directory_cannot_be_made() throws IOException {
    Path file = Files.createFile(base.resolve("mnt"));
    assertThrows(UncheckedIOException.class, () -> mounts.use(() -> current, thin));
    assertEquals(List.of(OLD.name()), appeared);
    assertEquals(List.of(OLD.name()), vanished);
    Files.delete(file);
  }

  @Test
  void what_cannot_be_unmounted_keeps_its_device_until_it_can() {
    VolumeMounts.Use use = shared.use(() -> OLD, thin);
    faults.failNth(1);
    assertThrows(StapesException.class, () -> shared.forget(OLD));
    assertEquals(List.of(), vanished);
    faults.count();
    shared.release(use);
    assertEquals(List.of(OLD.name()), vanished);
    assertEquals(List.of(), host.mounts().below(base));
  }

  @Test
  void what_cannot_be_unmounted_keeps_nobody_from_the_others() {
    ThinVolume other = ThinVolume.fresh(A, VolumeFormat.EXT4, 1 << 20);
    VolumeMounts.Use first = shared.use(() -> OLD, thin);
    VolumeMounts.Use second = shared.use(() -> other, thin);
    faults.failNth(1);
    assertThrows(StapesException.class, () -> shared.release(first));
    faults.failNth(1);
    shared.release(second); // the first one is tried again before
    assertEquals(List.of(other.name()), vanished);
    faults.count();
    shared.dropIdle();
    assertEquals(List.of(other.name(), OLD.name()), vanished);
    assertEquals(List.of(), host.mounts().below(base));
  }

  @Test
  void all_are_unmounted_that_can_be_and_can_be_mounted_again() {
    ThinVolume other = ThinVolume.fresh(A, VolumeFormat.EXT4, 1 << 20);
    VolumeMounts.Use first = shared.use(() -> OLD, thin);
    VolumeMounts.Use second = shared.use(() -> other, thin);
    faults.failNth(1);
    assertThrows(StapesException.class, shared::unmountAll);
    assertEquals(List.of(other.name()), vanished);
    faults.count();
    shared.release(shared.use(() -> other, thin));
    shared.release(first);
    shared.release(second);
    assertEquals(List.of(other.name(), other.name(), OLD.name()), vanished);
    assertEquals(List.of(), host.mounts().below(base));
  }

  @Test
  void what_a_jvm_left_that_was_killed_is_unmounted() {
    VolumeMounts.Use unused = shared.use(() -> OLD, thin);
    Path view = shared.view(unused.files());
    assertEquals(2, host.mounts().below(base).size(), view.toString());
    shared.tidy();
    assertEquals(List.of(), host.mounts().below(base));
  }
}
