package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.HostLeftovers;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a machine must have to share a group, and what a shared pool cannot be made of. */
class LvmClusterProviderTest {
  private static final PoolSpec SPEC = PoolSpec.of("test", "lvmcluster");

  private final Path own;
  private final LvmClusterProvider provider =
      new LvmClusterProvider(Syscalls::system, LvmWorld.kernel(), sys -> LvmWorld.CONTENTS);

  LvmClusterProviderTest(@TempDir Path own) {
    this.own = own;
  }

  private void unavailable(String reason, String remedy, FakeHost.Builder host) {
    Availability.Unavailable no =
        assertInstanceOf(Availability.Unavailable.class, provider.probe(host.build()));
    assertTrue(no.reason().contains(reason), no.toString());
    assertTrue(no.remedy().contains(remedy), no.toString());
  }

  @Test
  void programs_and_daemons_that_are_missing_are_said_with_what_to_do() {
    assertEquals(Availability.available(), provider.probe(LvmWorld.machine(new FakeLvm())));
    FakeHost.Builder host = FakeHost.builder();
    unavailable("lvm not found", "lvm2", host);
    host.program("lvm", new FakeLvm());
    unavailable("lvmlockctl not found", "lvm2-lockd", host);
    host.program("lvmlockctl", FakeProgram.failing(1, "Cannot connect to lvmlockd."));
    unavailable("sanlock not found", "sanlock", host);
    host.program("sanlock", FakeProgram.failing(1, "sanlock daemon is not running"));
    host.program("mkfs.ext4", call -> 0);
    unavailable("lvmlockd does not run", "host_id", host);
    host.program("lvmlockctl", call -> 0);
    unavailable("sanlock does not run", "start sanlock", host);
  }

  @Test
  void a_kernel_without_snapshots_is_said_before_anything_is_copied(@TempDir Path bare) {
    VolumeId volume = new VolumeId(VolumeId.Kind.CUSTOM, "a");
    VolumeId copy = new VolumeId(VolumeId.Kind.CUSTOM, "b");
    LvmClusterProvider without =
        new LvmClusterProvider(Syscalls::system, bare, sys -> LvmWorld.CONTENTS);
    FakeLvm lvm = new FakeLvm();
    FakeHost machine = LvmWorld.machine(lvm);
    Availability.Unavailable no =
        assertInstanceOf(Availability.Unavailable.class, without.probe(machine));
    assertTrue(no.remedy().contains("CONFIG_DM_SNAPSHOT"), no.toString());
    PoolSpec spec = SPEC.source(FakeLvm.GROUP).with("volume.size", "64MiB");
    RealLvmTests.refused(Kind.UNAVAILABLE, () -> without.create(machine, spec, own));
    assertEquals(0, lvm.count());
    provider.create(machine, spec, own).close();
    try (StoragePool pool = without.open(machine, spec, own)) {
      pool.create(volume);
      StapesException error =
          RealLvmTests.refused(Kind.UNAVAILABLE, () -> pool.copy(volume, copy, true));
      assertTrue(String.valueOf(error.getMessage()).contains("CONFIG_DM_SNAPSHOT"), "" + error);
      assertEquals(2, lvm.count());
      pool.destroy();
    }
  }

  @Test
  void the_number_of_the_machine_is_that_of_the_groups_locks() {
    String status = "daemon 1f\np -1 status\ns lvm_vg10:7:/dev/mapper/vg10-lvmlock:0\n";
    assertEquals(Optional.of(7), SharedBacking.machine(status, "vg10"));
    assertEquals(Optional.empty(), SharedBacking.machine(status, "vg1"));
    assertEquals(Optional.empty(), SharedBacking.machine(status, "vg1."));
  }

  @Test
  void groups_whose_locks_are_not_started_and_sources_that_are_none_are_refused() {
    refused(Kind.INVALID, "source", SPEC, LvmWorld.machine(new FakeLvm()));
    PoolSpec shared = SPEC.source(FakeLvm.GROUP);
    FakeHost stopped =
        FakeHost.builder()
            .program("lvm", new FakeLvm())
            .program("sanlock", FakeProgram.printing("p -1 status\n"))
            .program("mkfs.ext4", call -> 0)
            .build();
    refused(Kind.UNAVAILABLE, "vgchange --lockstart vg0", shared, stopped);
    FakeHost local =
        FakeHost.builder()
            .program(
                "lvm",
                FakeProgram.printing("{\"report\":[{\"vg\":[{\"vg_lock_type\":\"none\"}]}]}"))
            .program("mkfs.ext4", call -> 0)
            .build();
    refused(Kind.INVALID, "\"none\"", shared, local);
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    refused(Kind.NOT_FOUND, "vg9", SPEC.source("vg9"), machine);
    refused(Kind.INVALID, "vg9", shared.with("lvm.vg_name", "vg9"), machine);
    refused(Kind.INVALID, "size", shared.with("size", "1GiB"), machine);
    refused(Kind.INVALID, "/dev/null", SPEC.source("/dev/null"), machine);
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  private void refused(Kind kind, String quoted, PoolSpec spec, FakeHost host) {
    StapesException error = RealLvmTests.refused(kind, () -> provider.create(host, spec, own));
    assertTrue(String.valueOf(error.getMessage()).contains(quoted), error.toString());
  }
}
