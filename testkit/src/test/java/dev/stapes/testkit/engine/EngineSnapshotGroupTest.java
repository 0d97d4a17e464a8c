package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.SnapshotGroup;
import dev.stapes.model.SnapshotGroupInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import dev.stapes.testkit.Faults;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Snapshots of several things at one moment. */
class EngineSnapshotGroupTest {
  private static final Device DATA = Device.disk("/data", d -> d.volume("default", "data"));

  private static EngineWorld world(Faults faults) {
    EngineWorld world = EngineWorld.create(faults, EngineWorld.Setup.usual());
    prepare(world);
    return world;
  }

  private static void prepare(EngineWorld world) {
    world.stapes().pools().byDefault().volumes().create("data");
    world
        .stapes()
        .instances()
        .launch(EngineWorld.spec("web").device("data", DATA).build())
        .exec("write", "mine");
    world.launch("db");
  }

  private static Instance named(EngineWorld world, String name) {
    return world.stapes().instances().get(name);
  }

  private static SnapshotGroup group(EngineWorld world) {
    return SnapshotGroup.of("s")
        .instance(named(world, "web").id())
        .instance(named(world, "db").id())
        .volume("default", "data");
  }

  private static Kind refusal(EngineWorld world, SnapshotGroup group) {
    return assertThrows(StapesException.class, () -> world.stapes().snapshot(group)).kind();
  }

  @Test
  void all_members_have_the_snapshot_and_go_on() {
    try (EngineWorld world = world(new Faults())) {
      SnapshotGroupInfo made = world.stapes().snapshot(group(world));
      assertEquals(2, made.instances().size());
      assertEquals("data", made.volumes().get(0).volume());
      Volume data = world.stapes().pools().byDefault().volumes().get("data");
      assertEquals("s", data.snapshots().get("s").name());
      for (String name : List.of("web", "db")) {
        assertEquals("s", named(world, name).snapshots().get("s").name());
        assertEquals(InstanceStatus.RUNNING, named(world, name).info().status());
      }
    }
  }

  @Test
  void writers_stand_still_from_before_the_first_copy_until_after_the_last() {
    Faults faults = new Faults();
    try (EngineWorld world = world(faults)) {
      faults.count();
      world.stapes().snapshot(group(world));
      List<String> calls =
          faults.trace().stream()
              .map(Object::toString)
              .filter(
                  call ->
                      call.contains(Machine.class.getSimpleName() + ".")
                          || call.contains(StoragePool.class.getSimpleName() + ".copy"))
              .toList();
      List<String> order =
          calls.stream().map(call -> call.replaceAll("^\\W*\\w+\\.(\\w+).*$", "$1")).toList();
      assertEquals(
          List.of("freeze", "freeze", "copy", "copy", "copy", "unfreeze", "unfreeze"),
          order.stream().filter(List.of("freeze", "copy", "unfreeze")::contains).toList(),
          calls::toString);
    }
  }

  @Test
  void where_the_pool_copies_all_of_them_at_once_nobody_stands_still() {
    Faults faults = new Faults();
    EngineWorld.Setup setup = EngineWorld.Setup.usual().storage(GroupingStorage::new);
    try (EngineWorld world = EngineWorld.create(faults, setup)) {
      prepare(world);
      faults.count();
      world.stapes().snapshot(group(world));
      List<String> calls = faults.trace().stream().map(Object::toString).toList();
      assertTrue(calls.stream().noneMatch(call -> call.contains("freeze")), calls::toString);
      assertEquals(
          1, calls.stream().filter(call -> call.contains("GroupCopies.copy")).count(), "" + calls);
      for (String name : List.of("web", "db")) {
        assertEquals("s", named(world, name).snapshots().get("s").name());
      }
      assertEquals(Kind.CONFLICT, refusal(world, group(world)));
    }
  }

  @Test
  void one_member_that_has_it_already_keeps_all_others_from_it() {
    try (EngineWorld world = world(new Faults())) {
      named(world, "db").snapshots().create("s");
      assertEquals(Kind.CONFLICT, refusal(world, group(world)));
      assertEquals(List.of(), named(world, "web").snapshots().list());
      assertEquals(Kind.NOT_FOUND, refusal(world, SnapshotGroup.of("s").volume("default", "none")));
      assertEquals(Kind.INVALID, refusal(world, SnapshotGroup.of("s")));
      Instance fleeting =
          world
              .stapes()
              .instances()
              .launch(EngineWorld.spec("gone").lifetime(Lifetime.THROWAWAY).build());
      assertEquals(Kind.UNSUPPORTED, refusal(world, SnapshotGroup.of("s").instance(fleeting.id())));
    }
  }

  @Test
  void a_group_of_which_one_fails_leaves_nothing() throws Exception {
    assertTrue(
        EngineScenario.of(
                    EngineSnapshotGroupTest::prepare,
                    stapes ->
                        stapes.snapshot(
                            SnapshotGroup.of("s")
                                .instance(stapes.instances().get("web").id())
                                .instance(stapes.instances().get("db").id())
                                .volume("default", "data")))
                .seenThrough(EngineSnapshotGroupTest::withoutStillness)
                .forEveryEffect()
            > 0);
  }

  /** One that does not go on when it is told to is made to by the next open: an intent says so. */
  private static EnginePicture withoutStillness(EnginePicture picture) {
    return new EnginePicture(
        picture.lines().stream()
            .filter(line -> !line.contains("\"action\":\"instance-copy\""))
            .toList());
  }
}
