package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Stapes;
import dev.stapes.Volumes;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.VolumeInfo;
import dev.stapes.model.VolumeSpec;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine on each of two machines with one group, and a third machine without one. */
class LvmClusterEngineTest {
  private static final PoolSpec SPEC =
      PoolSpec.of("default", "lvmcluster").source(FakeLvm.GROUP).with("volume.size", "64MiB");
  private static final VolumeId IMAGE = new VolumeId(VolumeId.Kind.IMAGE, "0".repeat(32));
  private static final VolumeId ROOT = new VolumeId(VolumeId.Kind.INSTANCE, "thrown-away");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "of-somebody");
  private static final VolumeId CUSTOM = new VolumeId(VolumeId.Kind.CUSTOM, "unknown");
  private static final Set<VolumeId> ALL = Set.of(IMAGE, ROOT, SNAPSHOT, CUSTOM);

  private final FakeLvm lvm = new FakeLvm();
  private final Path directory;

  LvmClusterEngineTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private static LvmClusterProvider provider() {
    return new LvmClusterProvider(Syscalls::system, LvmWorld.kernel(), sys -> LvmWorld.CONTENTS);
  }

  private FakeHost.Builder machine(int number) {
    return LvmWorld.machines(lvm.beside(number));
  }

  private Path root(int number) throws IOException {
    return Files.createDirectories(directory.resolve("root" + number));
  }

  private Path pool(int number) throws IOException {
    return root(number).resolve("pools").resolve(SPEC.name());
  }

  private Stapes open(int number) throws IOException {
    FakeMachineRoom room = FakeMachineRoom.create();
    return Stapes.builder(root(number))
        .with(machine(number).provider())
        .with(provider())
        .with(FakeInstances.in(room))
        .with(FakeInstances.in(room).type(InstanceType.VIRTUAL_MACHINE))
        .defaultPool(SPEC)
        .open();
  }

  private static Set<String> names(Stapes stapes) {
    Set<String> names = new HashSet<>();
    for (VolumeInfo volume : volumes(stapes).list()) {
      names.add(volume.name());
    }
    return names;
  }

  private static Volumes volumes(Stapes stapes) {
    return stapes.pools().byDefault().volumes();
  }

  private static VolumeSpec disk(String name) {
    return VolumeSpec.block(name, Size.ofMebibytes(8));
  }

  /** Such as no record knows. */
  private static void fill(StoragePool pool) {
    ALL.forEach(pool::create);
  }

  /** What an engine's pool has, which is closed. */
  private Set<VolumeId> content(int number) throws IOException {
    try (FakeHost host = machine(number).build();
        StoragePool pool = provider().open(host, SPEC, pool(number))) {
      return pool.list();
    }
  }

  private void fill(int number) throws IOException {
    try (FakeHost host = machine(number).build();
        StoragePool pool = provider().open(host, SPEC, pool(number))) {
      fill(pool);
    }
  }

  @Test
  void an_engine_removes_what_it_has_no_record_of_and_nothing_of_another_machine()
      throws IOException {
    try (LvmWorld third = new LvmWorld(directory, SPEC, new Faults(), lvm.beside(3))) {
      fill(third.pool());
      try (Stapes first = open(1);
          Stapes second = open(2)) {
        volumes(first).create(disk("data"));
        volumes(first).create(disk("disk"));
        volumes(second).create(disk("data"));
        assertEquals(Set.of("data", "disk"), names(first));
        assertEquals(Set.of("data"), names(second));
      }
      fill(1);
      fill(2);
      try (Stapes first = open(1)) {
        assertEquals(Set.of("data", "disk"), names(first));
      }
      assertEquals(2, content(1).size());
      assertEquals(5, content(2).size());
      assertTrue(content(2).containsAll(ALL));
      try (Stapes second = open(2)) {
        assertEquals(Set.of("data"), names(second));
      }
      assertEquals(1, content(2).size());
      assertEquals(ALL, third.pool().list());
    }
  }

  @Test
  void a_volume_of_a_lost_machine_takes_the_place_of_one_that_an_engine_knows() throws IOException {
    try (Stapes first = open(1)) {
      volumes(first).create(disk("data"));
    }
    VolumeId lost = only(content(1));
    String name = lvm.named(VolumeTags.id(lost));
    try (Stapes second = open(2)) {
      volumes(second).create(disk("place"));
    }
    VolumeId place = only(content(2));
    try (FakeHost host = machine(2).build()) {
      LvmClusterProvider provider = provider();
      List<LvmClusterProvider.Other> others = provider.others(host, SPEC, pool(2));
      assertEquals(Set.of(lost), others.get(0).volumes());
      provider.takeOver(host, SPEC, pool(2), others.get(0).owner(), lost, place);
    }
    try (Stapes second = open(2)) {
      assertEquals(Set.of("place"), names(second));
    }
    assertEquals(Set.of(place), content(2));
    assertEquals(name, lvm.named(VolumeTags.id(place)));
    assertEquals(2, lvm.count());
    try (Stapes first = open(1)) {
      volumes(first).get("data").delete(); // of which it has a record alone by now
    }
    assertEquals(Set.of(place), content(2));
  }

  @Test
  void who_has_lost_a_volume_sees_it_without_its_usage_and_all_others() throws IOException {
    for (VolumeSpec lost : List.of(disk("lost"), VolumeSpec.of("lost"))) {
      try (Stapes first = open(1)) {
        volumes(first).create(lost);
      }
      VolumeId id = only(content(1));
      try (Stapes first = open(1);
          FakeHost host = machine(2).build();
          Stapes second = open(2)) {
        volumes(first).create(disk("kept"));
        LvmClusterProvider provider = provider();
        String owner = provider.others(host, SPEC, pool(2)).get(0).owner();
        provider.takeOver(host, SPEC, pool(2), owner, id, id);
        assertEquals(Set.of("kept", "lost"), names(first));
        assertEquals(Optional.empty(), volumes(first).get("lost").info().usage());
        volumes(first).get("lost").delete();
        volumes(first).get("kept").delete();
        assertEquals(Set.of(), names(first));
        assertEquals(Set.of(), names(second));
      }
    }
  }

  private static VolumeId only(Set<VolumeId> all) {
    assertEquals(1, all.size(), all.toString());
    return all.iterator().next();
  }
}
