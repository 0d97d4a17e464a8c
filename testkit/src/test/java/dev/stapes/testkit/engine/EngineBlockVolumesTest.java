package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stop;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.SnapshotGroup;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.model.VolumeSpec;
import dev.stapes.spi.Machine;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Custom volumes that are disks: in files, and on pools that have devices. */
class EngineBlockVolumesTest {
  private static final EngineWorld.Setup MACHINES =
      EngineWorld.Setup.usual().driver(fake -> fake.type(InstanceType.VIRTUAL_MACHINE));
  private static final Size SIZE = Size.ofKibibytes(512);
  private static final Size LARGE = Size.ofKibibytes(1024);
  private static final Device.Disk DISK = disk("data");

  private static Device.Disk disk(String volume) {
    return Device.disk(disk -> disk.volume("default", volume));
  }

  private static Pool pool(EngineWorld world) {
    return world.stapes().pools().byDefault();
  }

  private static Volume block(EngineWorld world) {
    return pool(world).volumes().create(VolumeSpec.block("data", SIZE));
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  /** In files and on devices. */
  private static void everywhere(Consumer<EngineWorld> test) {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      try (EngineWorld world = EngineWorld.create(setup)) {
        world.stapes().images().importFrom(new DiskImage("boot"), "disk");
        test.accept(world);
      }
    }
  }

  private static Instance vm(EngineWorld world, String name, Device device) {
    InstanceSpec spec =
        InstanceSpec.virtualMachine(name, "disk")
            .device("root", Device.root(disk -> disk.pool("default").size(Size.ofKibibytes(64))))
            .device("data", device)
            .build();
    return world.stapes().instances().get(world.stapes().instances().create(spec).id());
  }

  /** What the first bytes of a volume say, as a machine sees them. */
  private static String said(EngineWorld world, String volume, int length) {
    Instance reader = vm(world, "reader", disk(volume));
    reader.start();
    try {
      byte[] bytes = world.disk(reader, "data");
      return new String(bytes, 0, length, StandardCharsets.UTF_8);
    } finally {
      reader.delete(dev.stapes.Delete.FORCE);
    }
  }

  private static long bytes(EngineWorld world, String volume) {
    Instance reader = vm(world, "measure", disk(volume));
    reader.start();
    try {
      return world.disk(reader, "data").length;
    } finally {
      reader.delete(dev.stapes.Delete.FORCE);
    }
  }

  /** A device may have some more than was asked for. */
  private static void assertHas(Size size, long bytes) {
    assertTrue(bytes >= size.bytes() && bytes < size.bytes() + (96 << 10), () -> "has " + bytes);
  }

  private static void say(EngineWorld world, String volume, String text) {
    Instance writer = vm(world, "writer", disk(volume));
    writer.start();
    world.write(writer, "data", text);
    writer.delete(dev.stapes.Delete.FORCE);
  }

  @Test
  void a_block_volume_has_a_content_type_and_a_size() {
    everywhere(
        world -> {
          Volume data = block(world);
          assertEquals(VolumeContent.BLOCK, data.info().content());
          assertEquals(Optional.of(SIZE), data.info().size());
          assertHas(SIZE, bytes(world, "data"));
          Volume usual =
              pool(world)
                  .volumes()
                  .create(
                      new VolumeSpec(
                          "usual", VolumeContent.BLOCK, "", dev.stapes.model.Config.empty()));
          assertEquals(Optional.of(Size.ofGibibytes(10)), usual.info().size());
          assertEquals(
              VolumeContent.FILESYSTEM, pool(world).volumes().create("tree").info().content());
        });
  }

  @Test
  void a_running_machine_gets_it_and_what_it_writes_stays() {
    everywhere(
        world -> {
          block(world);
          Instance vm = vm(world, "vm", new Device.None());
          vm.start();
          vm.update(update -> update.device("data", DISK));
          world.write(vm, "data", "first");
          vm.update(update -> update.removeDevice("data"));
          assertEquals("first", said(world, "data", 5));
          vm.stop(Stop.FORCE);
        });
  }

  @Test
  void one_machine_at_a_time_has_it_unless_it_is_shared() {
    everywhere(
        world -> {
          Volume data = block(world);
          Instance one = vm(world, "one", DISK);
          Instance two = vm(world, "two", DISK);
          one.start();
          refused(Kind.BUSY, "in use by instance one", two::start);
          refused(
              Kind.BUSY, "one", () -> data.snapshots().restore(data.snapshots().create().name()));
          // The machine that runs has been told that nobody else has it.
          refused(Kind.BUSY, "one", () -> data.update(Map.of("security.shared", "true")));
          one.stop(Stop.FORCE);
          data.update(Map.of("security.shared", "true"));
          one.start();
          two.start();
          assertEquals(
              Machine.Disk.Form.SHARED,
              Objects.requireNonNull(world.room().disks(two.id()).get("data")).form());
          refused(Kind.BUSY, "one", () -> data.update(Map.of("security.shared", "false")));
          two.stop(Stop.FORCE);
          data.update(Map.of("security.shared", "false"));
          refused(Kind.BUSY, "in use by instance one", two::start);
          one.stop(Stop.FORCE);
          two.start();
          two.stop(Stop.FORCE);
        });
  }

  @Test
  void who_has_it_is_known_after_the_program_is_started_again() {
    everywhere(
        world -> {
          block(world);
          vm(world, "one", DISK).start();
          vm(world, "two", DISK);
          world.reopen();
          refused(
              Kind.BUSY,
              "in use by instance one",
              () -> world.stapes().instances().get("two").start());
          world.stapes().instances().get("one").stop(Stop.FORCE);
          world.stapes().instances().get("two").start();
        });
  }

  @Test
  void any_snapshot_is_restored_and_has_at_least_the_size_of_now() {
    everywhere(
        world -> {
          Volume data = block(world);
          say(world, "data", "old");
          data.snapshots().create("then");
          say(world, "data", "new");
          data.resize(Optional.of(LARGE));
          data.snapshots().create("later");
          data.snapshots().restore("then");
          assertEquals("old", said(world, "data", 3));
          assertHas(LARGE, bytes(world, "data"));
          data.snapshots().restore("later");
          assertEquals("new", said(world, "data", 3));
        });
  }

  @Test
  void it_grows_also_while_it_is_used_and_never_shrinks() {
    everywhere(
        world -> {
          Volume data = block(world);
          Instance vm = vm(world, "vm", DISK);
          vm.start();
          data.resize(Optional.of(LARGE));
          assertHas(LARGE, world.disk(vm, "data").length);
          refused(Kind.INVALID, "cannot shrink", () -> data.resize(Optional.of(SIZE)));
          refused(Kind.INVALID, "size", () -> data.resize(Optional.empty()));
          assertEquals(Optional.of(LARGE), data.info().size());
          vm.stop(Stop.FORCE);
        });
  }

  @Test
  void it_is_copied_and_moved_to_pools_of_the_same_and_of_another_kind() {
    everywhere(
        world -> {
          world.stapes().pools().create(PoolSpec.of("other", "fake"));
          Volume data = block(world);
          say(world, "data", "text");
          data.snapshots().create("then");
          Volume copy = data.copyTo(VolumeCopySpec.of("other", "copy").snapshotsToo());
          assertEquals(VolumeContent.BLOCK, copy.info().content());
          assertEquals(1, copy.snapshots().list().size());
          copy.moveTo("default");
          assertEquals("text", said(world, "copy", 4));
          copy.snapshots().restore("then");
          assertEquals("text", said(world, "copy", 4));
          data.copyTo("again");
          assertEquals("text", said(world, "again", 4));
          data.rename("shop");
          assertEquals("text", said(world, "shop", 4));
          data.delete();
        });
  }

  @Test
  void a_backup_of_one_kind_of_pool_is_read_by_the_other() throws Exception {
    byte[][] backups = new byte[2][];
    EngineWorld.Setup[] setups = {MACHINES, MACHINES.withDevices()};
    for (int i = 0; i < 2; i++) {
      try (EngineWorld world = EngineWorld.create(setups[i])) {
        world.stapes().images().importFrom(new DiskImage("boot"), "disk");
        Volume data = block(world);
        say(world, "data", "old");
        data.snapshots().create("then");
        say(world, "data", "new");
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        data.export(out);
        backups[i] = out.toByteArray();
      }
    }
    for (int i = 0; i < 2; i++) {
      try (EngineWorld world = EngineWorld.create(setups[1 - i])) {
        world.stapes().images().importFrom(new DiskImage("boot"), "disk");
        java.nio.file.Path file = Files.write(world.root().resolve("backup"), backups[i]);
        Volume data = pool(world).volumes().importFrom(file);
        assertEquals(VolumeContent.BLOCK, data.info().content());
        assertEquals("new", said(world, "data", 3));
        data.snapshots().restore("then");
        assertEquals("old", said(world, "data", 3));
        assertHas(SIZE, bytes(world, "data"));
        backups[i][backups[i].length / 2] ^= 1;
        Files.write(file, backups[i]);
        refused(
            Kind.INVALID,
            "checksum",
            () ->
                pool(world)
                    .volumes()
                    .importFrom(file, Optional.of("bad"), dev.stapes.model.Progress.NONE));
      }
    }
  }

  @Test
  void it_is_part_of_a_snapshot_of_a_group() {
    everywhere(
        world -> {
          Volume data = block(world);
          Instance vm = vm(world, "vm", DISK);
          vm.start();
          world
              .stapes()
              .snapshot(SnapshotGroup.of("both").instance(vm.id()).volume("default", "data"));
          assertEquals(
              List.of("both"), data.snapshots().list().stream().map(s -> s.name()).toList());
          vm.stop(Stop.FORCE);
        });
  }

  @Test
  void devices_that_do_not_fit_are_refused() {
    everywhere(
        world -> {
          block(world);
          pool(world).volumes().create("tree");
          Device.Disk mounted = Device.disk("/data", disk -> disk.volume("default", "data"));
          refused(Kind.INVALID, "has no path", () -> vm(world, "vm", mounted));
          refused(Kind.INVALID, "has no path", () -> vm(world, "vm", disk("data/www")));
          refused(Kind.INVALID, "needs a path", () -> vm(world, "vm", disk("tree")));
          refused(
              Kind.INVALID,
              "is for block volumes",
              () -> VolumeSpec.of("x").config("security.shared", "true"));
          refused(Kind.INVALID, "1 byte", () -> VolumeSpec.block("x", Size.ofBytes(0)));
          refused(Kind.INVALID, "path", () -> Device.disk(disk -> disk.source("/tmp")));
        });
    try (EngineWorld world = EngineWorld.create()) {
      block(world);
      refused(
          Kind.INVALID,
          "containers cannot have it",
          () ->
              world
                  .stapes()
                  .instances()
                  .create(EngineWorld.spec("box").device("data", DISK).build()));
      Instance box = world.launch("web");
      refused(
          Kind.INVALID,
          "containers cannot have it",
          () -> box.update(update -> update.device("data", DISK)));
    }
  }

  @Test
  void creation_and_growth_that_fail_leave_nothing_or_what_was() throws Exception {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      assertTrue(
          EngineScenario.of(
                      world -> {},
                      stapes ->
                          stapes
                              .pools()
                              .byDefault()
                              .volumes()
                              .create(VolumeSpec.block("data", SIZE)))
                  .in(setup)
                  .forEveryEffect()
              > 0);
      assertTrue(
          EngineScenario.of(
                      world -> {
                        world.stapes().pools().create(PoolSpec.of("other", "fake"));
                        block(world).snapshots().create("then");
                      },
                      stapes -> stapes.pools().byDefault().volumes().get("data").moveTo("other"))
                  .in(setup)
                  .forEveryEffect()
              > 0);
    }
  }
}
