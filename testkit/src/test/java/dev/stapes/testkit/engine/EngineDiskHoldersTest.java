package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeSpec;
import dev.stapes.testkit.Faults;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A machine that has a disk keeps others from it, whatever went wrong with what is known of it. */
class EngineDiskHoldersTest {
  private static final EngineWorld.Setup MACHINES =
      EngineWorld.Setup.usual().driver(fake -> fake.type(InstanceType.VIRTUAL_MACHINE));
  private static final Device.Disk DISK = Device.disk(disk -> disk.volume("default", "data"));

  private static final int MOST = 1000;

  /** One runs with a device, the other does not run and has the disk. */
  private static void everywhere(Device device, Consumer<EngineWorld> test) {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      try (EngineWorld world = EngineWorld.create(new Faults(), setup)) {
        prepare(world, device);
        test.accept(world);
      }
    }
  }

  private static void prepare(EngineWorld world, Device device) {
    world.stapes().images().importFrom(new DiskImage("boot"), "disk");
    data(world, true);
    vm(world, "one", device).start();
    vm(world, "two", DISK);
  }

  private static Volume data(EngineWorld world, boolean make) {
    return make
        ? world
            .stapes()
            .pools()
            .byDefault()
            .volumes()
            .create(VolumeSpec.block("data", Size.ofKibibytes(64)))
        : world.stapes().pools().byDefault().volumes().get("data");
  }

  private static Instance vm(EngineWorld world, String name, Device device) {
    InstanceSpec spec =
        InstanceSpec.virtualMachine(name, "disk")
            .device("root", Device.root(disk -> disk.pool("default").size(Size.ofKibibytes(64))))
            .device("data", device)
            .build();
    return world.stapes().instances().get(world.stapes().instances().create(spec).id());
  }

  private static Instance named(EngineWorld world, String name) {
    return world.stapes().instances().get(name);
  }

  private static void assertKept(EngineWorld world, String when) {
    List<Runnable> calls =
        List.of(
            named(world, "two")::start,
            () -> data(world, false).snapshots().restore("then"),
            data(world, false)::delete);
    for (Runnable call : calls) {
      StapesException e = assertThrows(StapesException.class, call::run, when);
      assertEquals(Kind.BUSY, e.kind(), () -> when + ": " + e);
      assertTrue(e.toString().contains("instance one"), () -> when + ": " + e);
    }
  }

  /** Opens it anew, and answers how many effects that had; 0 where it, or the pool, stays shut. */
  private static int openWithFault(EngineWorld world, int n) {
    close(world);
    world.faults().failNth(n);
    int effects = 0;
    try {
      boolean usable = world.openAgain().pools().broken().isEmpty();
      effects = usable ? world.faults().effects() : 0;
    } catch (StapesException e) {
      assertEquals(Kind.INTERNAL, e.kind(), e::toString); // the one of the test
    }
    world.faults().count();
    if (effects == 0) {
      close(world);
      world.openAgain();
    }
    return effects;
  }

  private static void close(EngineWorld world) {
    try {
      world.stapes().close();
    } catch (StapesException e) {
      assertEquals(Kind.INTERNAL, e.kind(), e::toString); // the one of the test
    }
  }

  @Test
  void wherever_an_open_fails_to_attach_it_the_machine_that_runs_has_it() {
    everywhere(
        DISK,
        world -> {
          data(world, false).snapshots().create("then");
          int effects = MOST;
          for (int n = 1; n <= effects; n++) {
            int found = openWithFault(world, n);
            effects = found == 0 ? effects : found;
            assertKept(world, "effect " + n);
          }
          assertTrue(effects < MOST);
          world.reopen();
          named(world, "one").stop(Stop.FORCE);
          named(world, "two").start();
        });
  }

  @Test
  void what_could_not_be_attached_is_free_when_the_machine_ends() {
    everywhere(
        DISK,
        world -> {
          int effects = MOST;
          for (int n = 1; n <= effects; n++) {
            int found = openWithFault(world, n);
            effects = found == 0 ? effects : found;
            try {
              named(world, "one").stop(Stop.FORCE);
            } catch (StapesException e) {
              assertEquals(Kind.UNAVAILABLE, e.kind(), e::toString); // until the next open
              world.reopen().instances().get("one").stop(Stop.FORCE);
            }
            named(world, "two").start();
            named(world, "two").stop(Stop.FORCE);
            named(world, "one").start();
          }
          assertTrue(effects < MOST);
        });
  }

  private static int effectsOfUpdate(EngineWorld world) {
    Instance one = named(world, "one");
    world.faults().count();
    one.update(update -> update.device("data", DISK));
    int number = 0;
    for (String call : world.faults().trace()) {
      number++;
      if (call.startsWith("Machine.update")) {
        break;
      }
    }
    one.update(update -> update.removeDevice("data"));
    return number;
  }

  private static void assertDiesInUpdate(EngineWorld world, int n) {
    world.faults().dieAtNth(n);
    assertThrows(
        StapesException.class,
        () -> named(world, "one").update(update -> update.device("data", DISK)));
    world.faults().count();
  }

  @Test
  void a_machine_whose_update_cannot_be_undone_has_it_until_it_ends() {
    everywhere(
        new Device.None(),
        world -> {
          named(world, "one").update(update -> update.removeDevice("data"));
          data(world, false).snapshots().create("then");
          int n = effectsOfUpdate(world);
          assertDiesInUpdate(world, n + 1); // it has happened, and nothing after it does
          assertTrue(world.room().disks(named(world, "one").id()).containsKey("data"));
          assertKept(world, "after the update");
          world.reopen(); // which takes it from the machine
          assertFalse(world.room().disks(named(world, "one").id()).containsKey("data"));
          named(world, "two").start();
          named(world, "two").stop(Stop.FORCE);
          assertDiesInUpdate(world, n + 1);
          named(world, "one").stop(Stop.FORCE);
          named(world, "two").start();
        });
  }

  @Test
  void a_machine_that_the_next_open_does_not_settle_has_it() {
    int effects = MOST;
    for (int n = 1; n <= effects; n++) {
      int found = settleWithFault(n);
      effects = found == 0 ? effects : found;
    }
    assertTrue(effects < MOST);
  }

  private static int settleWithFault(int n) {
    try (EngineWorld world = EngineWorld.create(new Faults(), MACHINES)) {
      prepare(world, new Device.None());
      named(world, "one").update(update -> update.removeDevice("data"));
      data(world, false).snapshots().create("then");
      assertDiesInUpdate(world, effectsOfUpdate(world) + 1);
      int effects = openWithFault(world, n);
      if (world.room().disks(named(world, "one").id()).containsKey("data")) {
        assertKept(world, "effect " + n + " of the open");
      } else {
        named(world, "two").start();
      }
      return effects;
    }
  }
}
