package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.InstanceUpdate;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.Faults;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Instances that run while no Stapes is open, and change around them meanwhile. */
class EngineAdoptionTest {
  @Test
  void an_instance_whose_disk_has_vanished_still_runs_and_can_be_stopped(@TempDir Path directory)
      throws Exception {
    Path source = Files.createDirectory(directory.resolve("shared"));
    try (EngineWorld world = EngineWorld.create()) {
      world
          .stapes()
          .instances()
          .launch(
              EngineWorld.spec("box")
                  .device("shared", Device.disk("/mnt", disk -> disk.source(source.toString())))
                  .build());
      world.stapes().close();
      Files.delete(source);
      Instance again = world.openAgain().instances().get("box");
      assertEquals(InstanceStatus.RUNNING, again.info().status());
      assertEquals(0, again.exec("true").exitCode());
      again.stop(Stop.FORCE);
      assertEquals(Set.of(), world.room().running());
      assertEquals(0, world.attached());
      StapesException thrown = assertThrows(StapesException.class, again::start);
      assertEquals(Kind.NOT_FOUND, thrown.kind());
      assertTrue(
          String.valueOf(thrown.getMessage()).contains(source.toString()), thrown.toString());
      again.delete(Delete.FORCE);
      assertEquals(Optional.empty(), world.stapes().instances().find("box"));
    }
  }

  @Test
  void what_may_run_and_cannot_be_adopted_is_let_alone_until_the_next_open() {
    Faults adoptions = new Faults(method -> method.getName().equals("adopt"));
    try (EngineWorld world = EngineWorld.create(adoptions, EngineWorld.Setup.usual())) {
      world.launch("box");
      world.stapes().close();
      adoptions.failNth(1, () -> StapesException.invalid("driver", "broken by the test"));
      Instance box = world.openAgain().instances().get("box");
      assertEquals(InstanceStatus.ERROR, box.info().status());
      List<Executable> attempts =
          List.of(
              box::start,
              box::stop,
              () -> box.restart(Stop.FORCE),
              () -> box.exec("true"),
              () -> box.delete(Delete.FORCE));
      for (Executable attempt : attempts) {
        StapesException thrown = assertThrows(StapesException.class, attempt);
        assertEquals(Kind.UNAVAILABLE, thrown.kind(), thrown::toString);
        assertTrue(String.valueOf(thrown.getMessage()).contains("broken by the test"));
      }
      assertEquals(Set.of(box.id()), world.room().running());
      world.launch("other").delete(Delete.FORCE);

      world.stapes().close();
      adoptions.count();
      Instance again = world.openAgain().instances().get("box");
      assertEquals(0, again.exec("true").exitCode());
      again.delete(Delete.FORCE);
      assertEquals(Set.of(), world.room().running());
    }
  }

  @Test
  void an_update_whose_jvm_died_is_undone_by_the_next_open_and_by_no_other() {
    Set<String> steps = Set.of("commit", "update", "settle");
    Faults faults = new Faults(method -> steps.contains(method.getName()));
    try (EngineWorld world = EngineWorld.create(faults, EngineWorld.Setup.usual())) {
      Instance box = world.launch("box");
      faults.dieAtNth(3); // it is changed, and not written down
      assertThrows(StapesException.class, () -> box.update(change -> limit(change, 2)));
      world.stapes().close();
      faults.count();
      Instance again = world.openAgain().instances().get("box");
      assertEquals(1, settled(faults), faults.trace()::toString);
      assertEquals(InstanceStatus.RUNNING, again.info().status());

      again.update(change -> limit(change, 1));
      faults.count();
      world.reopen();
      assertEquals(0, settled(faults), faults.trace()::toString);
    }
  }

  private static void limit(InstanceUpdate change, int cpus) {
    change.limits(limits -> limits.cpus(cpus));
  }

  private static long settled(Faults faults) {
    return faults.trace().stream().filter(call -> call.contains("settle")).count();
  }
}
