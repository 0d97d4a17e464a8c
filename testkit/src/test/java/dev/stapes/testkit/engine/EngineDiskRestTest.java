package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.model.VolumeSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.Faults;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a machine that runs is told of a disk that is copied, or grows. */
class EngineDiskRestTest {
  private static final Size SIZE = Size.ofKibibytes(64);

  private final List<String> calls = new CopyOnWriteArrayList<>();
  private volatile boolean agent = true;

  private EngineWorld world(boolean devices) {
    EngineWorld.Setup setup = EngineWorld.Setup.usual().driver(Guests::new);
    EngineWorld world = EngineWorld.create(new Faults(), devices ? setup.withDevices() : setup);
    world.stapes().images().importFrom(new DiskImage("boot"), "disk");
    return world;
  }

  private static Volume data(EngineWorld world) {
    return world.stapes().pools().byDefault().volumes().create(VolumeSpec.block("data", SIZE));
  }

  private static Instance launch(EngineWorld world) {
    InstanceSpec spec =
        InstanceSpec.virtualMachine("vm", "disk")
            .device("root", Device.root(disk -> disk.pool("default").size(SIZE)))
            .device("data", Device.disk(disk -> disk.volume("default", "data")))
            .build();
    return world.stapes().instances().launch(spec);
  }

  @Test
  void its_file_systems_are_at_rest_whatever_is_made_of_the_disk() {
    for (boolean devices : List.of(false, true)) {
      try (EngineWorld world = world(devices)) {
        world.stapes().pools().create(PoolSpec.of("other", "fake"));
        Volume data = data(world);
        launch(world);
        List<Runnable> copies =
            List.of(
                data.snapshots()::create,
                () -> data.copyTo("near"),
                () -> data.copyTo(VolumeCopySpec.of("default", "all").snapshotsToo()),
                () -> data.copyTo(VolumeCopySpec.of("other", "far")),
                () -> data.export(java.io.OutputStream.nullOutputStream()));
        for (Runnable copy : copies) {
          calls.clear();
          copy.run();
          assertEquals(List.of("rest", "thaw"), calls); // and does not stand still
        }
      }
    }
  }

  @Test
  void a_disk_that_nobody_runs_with_is_copied_as_it_is() {
    try (EngineWorld world = world(false)) {
      Volume data = data(world);
      Instance vm = launch(world);
      vm.stop(dev.stapes.Stop.FORCE);
      calls.clear();
      data.snapshots().create();
      data.copyTo("near");
      assertEquals(List.of(), calls);
    }
  }

  @Test
  void a_disk_has_grown_whether_or_not_a_machine_can_be_told() {
    for (boolean devices : List.of(false, true)) {
      try (EngineWorld world = world(devices)) {
        Volume data = data(world);
        launch(world);
        world.faults().count();
        data.resize(Optional.of(Size.ofKibibytes(256)));
        int update = 1;
        for (String call : world.faults().trace()) {
          if (call.startsWith("Machine.update")) {
            break;
          }
          update++;
        }
        assertTrue(update <= world.faults().effects());
        world.faults().failNth(update);
        Size larger = Size.ofKibibytes(512);
        data.resize(Optional.of(larger));
        assertEquals(Optional.of(larger), data.info().size());
      }
    }
  }

  @Test
  void a_growth_that_fails_is_done_by_the_next_try() {
    try (EngineWorld world = world(true)) {
      Volume data = data(world);
      Size larger = Size.ofKibibytes(512);
      world.faults().failNth(1);
      StapesException e =
          assertThrows(StapesException.class, () -> data.resize(Optional.of(larger)));
      assertEquals(Kind.INTERNAL, e.kind());
      world.faults().count();
      data.resize(Optional.of(larger));
      assertEquals(Optional.of(larger), data.info().size());
    }
  }

  /** Each opening would wait for each guest, and for an agent that hangs. */
  @Test
  void one_that_a_crash_left_at_rest_keeps_nobody_from_opening_and_is_not_forgotten() {
    try (EngineWorld world = world(false)) {
      data(world);
      Instance vm = launch(world);
      world.faults().count();
      vm.snapshots().create("one");
      int thaw = world.faults().trace().indexOf("FileSystems.thaw") + 1;
      assertTrue(thaw > 0, () -> world.faults().trace().toString());
      world.faults().dieAtNth(thaw);
      assertThrows(StapesException.class, () -> vm.snapshots().create("two"));
      closeQuietly(world);
      world.faults().count();
      for (boolean there : List.of(true, false)) {
        agent = there;
        calls.clear();
        world.openAgain();
        assertEquals(List.of(), calls);
        world.stapes().close();
        assertEquals(1, intents(world), world.picture()::toString);
      }
      world.openAgain().instances().get(vm.id()).freeze();
      assertEquals(
          InstanceStatus.FROZEN,
          world.reopen().instances().get(vm.id()).info().status(),
          "its user wants it so");
      world.stapes().close();
      assertEquals(1, intents(world), world.picture()::toString);
      world.end(vm, false);
      world.openAgain();
      assertEquals(0, intents(world), world.picture()::toString);
    }
  }

  private static void closeQuietly(EngineWorld world) {
    try {
      world.stapes().close();
    } catch (StapesException e) {
      assertEquals(Kind.INTERNAL, e.kind(), e::toString); // the one of the test
    }
  }

  private static long intents(EngineWorld world) {
    return world.picture().lines().stream().filter(line -> line.startsWith("intents/")).count();
  }

  /** Fake virtual machines whose guests have an agent. */
  private final class Guests implements InstanceDriverProvider {
    private final FakeInstances fakes;

    Guests(FakeInstances fakes) {
      this.fakes = fakes.type(InstanceType.VIRTUAL_MACHINE);
    }

    @Override
    public String name() {
      return fakes.name();
    }

    @Override
    public InstanceType type() {
      return fakes.type();
    }

    @Override
    public Availability probe(Host host) {
      return fakes.probe(host);
    }

    @Override
    public InstanceDriver open(Host host, Scope scope) {
      return proxy(InstanceDriver.class, fakes.open(host, scope));
    }

    private <T> T proxy(Class<T> type, Object real) {
      Object made =
          Proxy.newProxyInstance(
              type.getClassLoader(),
              new Class<?>[] {type},
              (proxy, method, arguments) -> {
                if (method.getName().equals("fileSystems")) {
                  return agent ? Optional.of(new FileSystems()) : Optional.empty();
                }
                if (type == Machine.class && method.getName().contains("freeze")) {
                  calls.add(method.getName());
                }
                try {
                  return answer(method.invoke(real, arguments));
                } catch (InvocationTargetException e) {
                  throw e.getCause() == null ? e : e.getCause();
                }
              });
      return type.cast(made);
    }

    private @Nullable Object answer(@Nullable Object answer) {
      return answer instanceof Machine machine ? proxy(Machine.class, machine) : answer;
    }
  }

  /** Says what it is told. */
  private final class FileSystems implements Machine.FileSystems {
    @Override
    public void freeze() {
      calls.add("rest");
    }

    @Override
    public void thaw() {
      calls.add("thaw");
    }
  }
}
