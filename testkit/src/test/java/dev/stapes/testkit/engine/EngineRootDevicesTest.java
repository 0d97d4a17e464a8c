package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Size;
import dev.stapes.model.SnapshotGroup;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Virtual machines on pools that have block volumes: the root disk of each is one. */
class EngineRootDevicesTest {
  private static final EngineWorld.Setup DEVICES =
      EngineWorld.Setup.usual()
          .driver(fake -> fake.type(InstanceType.VIRTUAL_MACHINE))
          .withDevices();
  private static final Size SMALL = Size.ofKibibytes(32);
  private static final Size LARGE = Size.ofKibibytes(256);

  private static final Consumer<EngineWorld> WITH_IMAGE =
      world -> world.stapes().images().importFrom(new DiskImage("boot"), "disk");

  private static final Consumer<EngineWorld> STOPPED =
      WITH_IMAGE.andThen(world -> create(world.stapes(), "vm"));

  private static final Consumer<EngineWorld> RUNNING =
      STOPPED.andThen(world -> vm(world.stapes()).start());

  private static InstanceSpec spec(String name) {
    return InstanceSpec.virtualMachine(name, "disk").device("root", root(SMALL)).build();
  }

  private static Device.Disk root(Size size) {
    return Device.root(disk -> disk.pool("default").size(size));
  }

  private static Instance create(Stapes stapes, String name) {
    return stapes.instances().get(stapes.instances().create(spec(name)).id());
  }

  private static Instance vm(Stapes stapes) {
    return stapes.instances().get("vm");
  }

  private static EngineWorld world(Consumer<EngineWorld> given) {
    EngineWorld world = EngineWorld.create(DEVICES);
    given.accept(world);
    return world;
  }

  private static Path device(EngineWorld world, Instance instance) {
    return world.room().root(instance.id()).device().orElseThrow();
  }

  private static String said(EngineWorld world, Instance instance) {
    try {
      byte[] bytes = Files.readAllBytes(device(world, instance));
      return new String(Arrays.copyOf(bytes, 4), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void say(EngineWorld world, Instance instance, String text) {
    try {
      Path device = device(world, instance);
      byte[] bytes = Files.readAllBytes(device);
      System.arraycopy(text.getBytes(StandardCharsets.UTF_8), 0, bytes, 0, text.length());
      Files.write(device, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> volumes(EngineWorld world, String kind) {
    return world.picture().lines().stream().filter(line -> line.startsWith(kind)).toList();
  }

  @Test
  void a_machine_has_a_device_with_the_content_of_its_image() throws IOException {
    try (EngineWorld world = world(RUNNING)) {
      Instance vm = vm(world.stapes());
      assertEquals("boot", said(world, vm));
      assertTrue(Files.size(device(world, vm)) >= SMALL.bytes());
      assertTrue(
          volumes(world, "INSTANCE").stream().anyMatch(line -> line.contains("device of")),
          () -> world.picture().toString());
      assertEquals("boot", said(world, world.reopen().instances().get("vm")));
    }
  }

  @Test
  void a_container_on_the_same_pool_has_none() {
    EngineWorld.Setup containers = EngineWorld.Setup.usual().withDevices();
    try (EngineWorld world = EngineWorld.create(containers)) {
      Instance web = world.launch("web");
      assertTrue(world.room().root(web.id()).device().isEmpty());
      assertEquals(1, volumes(world, "INSTANCE").size());
      web.snapshots().create("then");
      assertEquals(1, volumes(world, "SNAPSHOT").size());
    }
  }

  @Test
  void it_goes_back_to_a_snapshot_is_copied_and_leaves_nothing() {
    try (EngineWorld world = world(RUNNING)) {
      Instance vm = vm(world.stapes());
      say(world, vm, "then");
      vm.snapshots().create("clean");
      say(world, vm, "next");
      Instance copy = vm.copyTo("copy");
      vm.snapshots().restore("clean");
      assertEquals("then", said(world, vm));
      copy.start();
      assertEquals("next", said(world, copy));
      vm.stop(Stop.FORCE);
      copy.stop(Stop.FORCE);
      vm.delete();
      copy.delete();
      world
          .stapes()
          .images()
          .list()
          .forEach(each -> world.stapes().images().delete(each.fingerprint()));
      world.reopen().close(); // which ends what is done behind
      assertEquals(List.of(), volumes(world, "INSTANCE"));
      assertEquals(List.of(), volumes(world, "SNAPSHOT"));
      assertEquals(List.of(), volumes(world, "IMAGE"));
    }
  }

  @Test
  void it_grows_while_it_runs_and_never_shrinks() throws IOException {
    try (EngineWorld world = world(RUNNING)) {
      Instance vm = vm(world.stapes());
      vm.update(update -> update.device("root", root(LARGE)));
      assertTrue(Files.size(device(world, vm)) >= LARGE.bytes());
      vm.update(update -> update.config("user.same", "size"));
      StapesException e =
          assertThrows(
              StapesException.class, () -> vm.update(update -> update.device("root", root(SMALL))));
      assertEquals(Kind.INVALID, e.kind(), e::toString);
      assertTrue(e.toString().contains("cannot shrink to " + SMALL), e::toString);
    }
  }

  @Test
  void one_without_an_image_has_an_empty_device() {
    try (EngineWorld world = world(WITH_IMAGE)) {
      Stapes stapes = world.stapes();
      InstanceSpec spec =
          InstanceSpec.emptyVirtualMachine("empty").device("root", root(SMALL)).build();
      Instance vm = stapes.instances().get(stapes.instances().create(spec).id());
      vm.start();
      assertEquals("\0\0\0\0", said(world, vm));
    }
  }

  @Test
  void a_group_has_the_devices_of_its_members_as_of_one_moment() {
    EngineWorld.Setup grouping = DEVICES.storage(GroupingStorage::new);
    try (EngineWorld world = EngineWorld.create(grouping)) {
      RUNNING.accept(world);
      Instance vm = vm(world.stapes());
      say(world, vm, "then");
      Instance other = create(world.stapes(), "other");
      world.stapes().snapshot(SnapshotGroup.of("both").instance(vm.id()).instance(other.id()));
      say(world, vm, "next");
      vm.snapshots().restore("both");
      assertEquals("then", said(world, vm));
    }
  }

  private static void failsCleanly(Consumer<EngineWorld> given, Consumer<Stapes> operation)
      throws Exception {
    assertTrue(EngineScenario.of(given, operation).in(DEVICES).forEveryEffect() > 0);
  }

  @Test
  void a_creation_that_fails_leaves_nothing() throws Exception {
    assertTrue(
        EngineScenario.of(WITH_IMAGE, stapes -> create(stapes, "vm"))
                .in(DEVICES)
                .seenThrough(EnginePicture::withoutUnpackedImages)
                .forEveryEffect()
            > 0);
  }

  @Test
  void a_snapshot_that_fails_leaves_nothing() throws Exception {
    failsCleanly(STOPPED, stapes -> vm(stapes).snapshots().create("clean"));
  }

  @Test
  void a_restore_that_fails_leaves_the_disk_of_now() throws Exception {
    failsCleanly(
        STOPPED.andThen(world -> vm(world.stapes()).snapshots().create("clean")),
        stapes -> vm(stapes).snapshots().restore("clean"));
  }

  @Test
  void a_copy_that_fails_leaves_nothing() throws Exception {
    failsCleanly(STOPPED, stapes -> vm(stapes).copyTo("copy"));
  }

  @Test
  void a_deletion_that_fails_is_finished_later() throws Exception {
    failsCleanly(STOPPED, stapes -> vm(stapes).delete());
  }
}
