package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Virtual machines: each has a disk in a file of its volume. */
class EngineMachinesTest {
  private static final EngineWorld.Setup MACHINES =
      EngineWorld.Setup.usual().driver(fake -> fake.type(InstanceType.VIRTUAL_MACHINE));
  private static final String IMAGE = "disk";
  private static final Size SMALL = Size.ofKibibytes(32);
  private static final Size LARGE = Size.ofKibibytes(64);

  private static final Consumer<EngineWorld> WITH_IMAGE =
      world -> world.stapes().images().importFrom(new DiskImage("boot"), IMAGE);

  private static final Consumer<EngineWorld> STOPPED =
      WITH_IMAGE.andThen(world -> world.stapes().instances().create(spec("vm").build()));

  /** With a volume that it does not use. */
  private static final Consumer<EngineWorld> RUNNING =
      STOPPED.andThen(
          world -> {
            world.stapes().pools().get("default").volumes().create("data");
            vm(world.stapes()).start();
          });

  private static InstanceSpec.Builder spec(String name) {
    return InstanceSpec.virtualMachine(name, IMAGE).device("root", root(SMALL));
  }

  private static Device.Disk root(Size size) {
    return Device.root(disk -> disk.pool("default").size(size));
  }

  private static void resize(Instance instance, Size size) {
    instance.update(update -> update.device("root", root(size)));
  }

  private static EngineWorld world(Consumer<EngineWorld> given) {
    EngineWorld world = EngineWorld.create(MACHINES);
    given.accept(world);
    return world;
  }

  private static Instance vm(Stapes stapes) {
    return stapes.instances().get("vm");
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  /** The disk, as the machine sees it. */
  private static byte[] diskOf(Instance instance) {
    instance.start();
    try {
      return instance.files().read("/" + Machine.Disk.IMAGE);
    } finally {
      instance.stop(Stop.FORCE);
    }
  }

  private static void holds(String text, Size size, Instance instance) {
    byte[] disk = diskOf(instance);
    assertEquals(size.bytes(), disk.length);
    assertEquals(text, new String(disk, 0, text.length(), StandardCharsets.UTF_8));
    assertEquals(0, disk[text.length()]);
    assertEquals(0, disk[disk.length - 1]);
  }

  @Test
  void a_machine_has_the_disk_of_its_image_in_the_size_that_is_asked_for() {
    try (EngineWorld world = world(STOPPED)) {
      holds("boot", SMALL, vm(world.stapes()));
    }
  }

  @Test
  void a_disk_never_shrinks() {
    try (EngineWorld world = world(STOPPED)) {
      Instance vm = vm(world.stapes());
      Size tiny = Size.ofKibibytes(8);
      refused(
          Kind.INVALID,
          "has " + Size.ofBytes(DiskImage.SIZE) + ", and cannot shrink to " + tiny,
          () ->
              world.stapes().instances().create(spec("other").device("root", root(tiny)).build()));
      refused(Kind.INVALID, "cannot shrink to", () -> resize(vm, tiny));
      holds("boot", SMALL, vm);
      resize(vm, Size.ofKibibytes(256));
      Size less = Size.ofKibibytes(248); // by less than an image may have too much
      refused(Kind.INVALID, "cannot shrink to " + less, () -> resize(vm, less));
    }
  }

  @Test
  void the_disk_of_a_stopped_machine_grows() {
    try (EngineWorld world = world(STOPPED)) {
      Instance vm = vm(world.stapes());
      resize(vm, LARGE);
      holds("boot", LARGE, vm);
    }
  }

  @Test
  void the_disk_of_a_running_machine_grows() {
    try (EngineWorld world = world(RUNNING)) {
      Instance vm = vm(world.stapes());
      resize(vm, LARGE);
      assertEquals(LARGE.bytes(), vm.files().read("/" + Machine.Disk.IMAGE).length);
      vm.stop(Stop.FORCE);
      holds("boot", LARGE, vm);
    }
  }

  @Test
  void a_running_machine_gets_disks_and_loses_them() {
    try (EngineWorld world = world(RUNNING)) {
      Instance vm = vm(world.stapes());
      Device.Disk data = Device.disk("/data", disk -> disk.volume("default", "data"));
      vm.update(update -> update.device("data", data));
      assertEquals(data, vm.info().devices().get("data"));
      Device.Disk other =
          Device.disk("/data", disk -> disk.volume("default", "data").bus(DiskIo.Bus.VIRTIOFS));
      vm.update(update -> update.device("data", other));
      assertEquals(other, vm.info().devices().get("data"));
      vm.update(update -> update.removeDevice("data"));
      assertTrue(!vm.info().devices().containsKey("data"));
      world.stapes().pools().get("default").volumes().get("data").delete();
    }
  }

  @Test
  void a_running_machine_does_not_get_all_that_is_a_device() {
    try (EngineWorld world = world(RUNNING)) {
      Instance vm = vm(world.stapes());
      refused(
          Kind.BUSY,
          "device tty cannot change while the instance runs",
          () -> vm.update(update -> update.device("tty", Device.UnixChar.of("/dev/tty9"))));
      refused(
          Kind.BUSY,
          "device root cannot change while the instance runs",
          () ->
              vm.update(
                  update ->
                      update.device("root", Device.root(disk -> disk.pool("default").readOnly()))));
      refused(
          Kind.BUSY,
          "device root cannot change while the instance runs",
          () ->
              vm.update(update -> update.device("root", Device.root(d -> d.bus(DiskIo.Bus.NVME)))));
    }
  }

  @Test
  void a_machine_without_an_image_has_an_empty_disk() {
    try (EngineWorld world = world(EngineWorld::stapes)) {
      InstanceSpec spec =
          InstanceSpec.emptyVirtualMachine("vm").device("root", root(SMALL)).build();
      holds("", SMALL, world.stapes().instances().create(spec));
    }
  }

  @Test
  void copies_and_snapshots_have_disks_of_their_own() {
    try (EngineWorld world = world(STOPPED)) {
      Instance vm = vm(world.stapes());
      vm.snapshots().create("clean");
      vm.start();
      vm.files().writeText("/" + Machine.Disk.IMAGE, "broken");
      vm.stop(Stop.FORCE);
      assertEquals("broken", new String(diskOf(vm), StandardCharsets.UTF_8));
      Instance copy = vm.copyTo("copy");
      vm.snapshots().restore("clean");
      holds("boot", SMALL, vm);
      assertEquals("broken", new String(diskOf(copy), StandardCharsets.UTF_8));
      vm.rename("other");
      holds("boot", SMALL, world.stapes().instances().get("other"));
      vm.delete(Delete.FORCE);
      assertEquals(1, world.stapes().instances().list().size());
    }
  }

  @Test
  void a_throwaway_machine_is_no_volume_in_memory() {
    try (EngineWorld world = world(WITH_IMAGE)) {
      InstanceSpec spec = spec("vm").lifetime(Lifetime.THROWAWAY).build();
      holds("boot", SMALL, world.stapes().instances().create(spec));
    }
  }

  @Test
  void an_image_is_for_one_type() {
    try (EngineWorld world = world(WITH_IMAGE)) {
      refused(
          Kind.INVALID,
          "image disk is for a virtual-machine, not for a container",
          () -> world.stapes().instances().create(InstanceSpec.container("box", IMAGE).build()));
      refused(
          Kind.INVALID,
          "image small is for a container, not for a virtual-machine",
          () ->
              world
                  .stapes()
                  .instances()
                  .create(InstanceSpec.virtualMachine("vm", EngineWorld.IMAGE).build()));
    }
  }

  @Test
  void files_of_a_stopped_machine_cannot_be_reached() {
    try (EngineWorld world = world(STOPPED)) {
      refused(
          Kind.UNSUPPORTED,
          "files of a stopped virtual machine cannot be reached",
          () -> vm(world.stapes()).files().list("/"));
    }
  }

  @Test
  void the_image_of_a_machine_is_not_mounted() {
    refused(
        Kind.INVALID,
        "virtual machine",
        () -> spec("vm").lifetime(Lifetime.THROWAWAY).imageMounted().build());
  }

  private static void failsCleanly(Consumer<EngineWorld> given, Consumer<Stapes> operation)
      throws Exception {
    EngineScenario scenario = EngineScenario.of(given, operation).in(MACHINES);
    assertTrue(scenario.seenThrough(EnginePicture::withoutUnpackedImages).forEveryEffect() > 0);
  }

  @Test
  void a_machine_whose_making_fails_leaves_nothing() throws Exception {
    failsCleanly(WITH_IMAGE, stapes -> stapes.instances().create(spec("vm").build()));
  }

  @Test
  void a_machine_without_an_image_whose_making_fails_leaves_nothing() throws Exception {
    InstanceSpec spec = InstanceSpec.emptyVirtualMachine("vm").device("root", root(SMALL)).build();
    failsCleanly(EngineWorld::stapes, stapes -> stapes.instances().create(spec));
  }

  @Test
  void a_change_of_the_size_that_fails_leaves_the_old_one() throws Exception {
    failsCleanly(STOPPED, stapes -> resize(vm(stapes), LARGE));
  }

  @Test
  void a_disk_that_cannot_be_plugged_leaves_nothing_behind() throws Exception {
    Device.Disk data = Device.disk("/data", disk -> disk.volume("default", "data"));
    failsCleanly(RUNNING, stapes -> vm(stapes).update(update -> update.device("data", data)));
  }
}
