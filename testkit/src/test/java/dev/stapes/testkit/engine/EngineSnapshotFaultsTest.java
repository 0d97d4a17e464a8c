package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every effect of every change to snapshots fails once. */
@Tag("once")
class EngineSnapshotFaultsTest {
  private static final Consumer<EngineWorld> STOPPED =
      world -> {
        world.launch("web").exec("write", "mine").orThrow();
        web(world.stapes()).stop();
      };

  private static final Consumer<EngineWorld> RUNNING =
      world -> world.launch("web").exec("write", "mine").orThrow();

  private static Instance web(Stapes stapes) {
    return stapes.instances().get("web");
  }

  private static void failsCleanly(EngineScenario scenario) throws Exception {
    assertTrue(scenario.forEveryEffect() > 0);
  }

  @Test
  void a_snapshot_that_fails_leaves_nothing() throws Exception {
    failsCleanly(EngineScenario.of(RUNNING, stapes -> web(stapes).snapshots().create("clean")));
  }

  @Test
  void a_deletion_of_a_snapshot_that_fails_leaves_it() throws Exception {
    failsCleanly(
        EngineScenario.of(
            STOPPED.andThen(world -> web(world.stapes()).snapshots().create("clean")),
            stapes -> web(stapes).snapshots().delete("clean")));
  }

  @Test
  void a_rename_of_a_snapshot_that_fails_leaves_its_old_name() throws Exception {
    failsCleanly(
        EngineScenario.of(
            STOPPED.andThen(world -> web(world.stapes()).snapshots().create("clean")),
            stapes -> web(stapes).snapshots().rename("clean", "good")));
  }

  @Test
  void a_restore_that_fails_leaves_the_disk_of_now() throws Exception {
    failsCleanly(
        EngineScenario.of(broken(STOPPED), stapes -> web(stapes).snapshots().restore("clean")));
  }

  @Test
  void a_restore_of_a_running_instance_that_fails_runs_as_before_or_is_restored() throws Exception {
    failsCleanly(
        EngineScenario.of(broken(RUNNING), stapes -> web(stapes).snapshots().restore("clean"))
            .mayGoForward(EnginePicture::withoutRuns));
  }

  @Test
  void a_copy_of_a_snapshot_that_fails_leaves_nothing() throws Exception {
    failsCleanly(
        EngineScenario.of(
            broken(STOPPED), stapes -> web(stapes).snapshots().copyTo("clean", "copy")));
  }

  /** With a snapshot, after which it went wrong. */
  private static Consumer<EngineWorld> broken(Consumer<EngineWorld> given) {
    return RUNNING
        .andThen(world -> web(world.stapes()).snapshots().create("clean"))
        .andThen(world -> web(world.stapes()).exec("write", "broken").orThrow())
        .andThen(
            world -> {
              if (given.equals(STOPPED)) {
                web(world.stapes()).stop();
              }
            });
  }
}
