package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.Size;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every effect of every change to an instance fails once. */
@Tag("once")
class EngineInstanceFaultsTest {
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
  void a_copy_that_fails_leaves_nothing() throws Exception {
    failsCleanly(EngineScenario.of(STOPPED, stapes -> web(stapes).copyTo("copy")));
  }

  @Test
  void a_copy_of_a_running_instance_that_fails_leaves_it_running_and_nothing_else()
      throws Exception {
    failsCleanly(EngineScenario.of(RUNNING, stapes -> web(stapes).copyTo("copy")));
  }

  @Test
  void a_rename_that_fails_leaves_the_old_name() throws Exception {
    failsCleanly(EngineScenario.of(STOPPED, stapes -> web(stapes).rename("www")));
  }

  @Test
  void a_deletion_that_fails_leaves_the_instance_and_its_snapshots() throws Exception {
    failsCleanly(
        EngineScenario.of(
            STOPPED.andThen(world -> web(world.stapes()).snapshots().create("clean")),
            stapes -> web(stapes).delete()));
  }

  @Test
  void a_forced_deletion_that_fails_leaves_the_instance_which_may_be_stopped() throws Exception {
    failsCleanly(
        EngineScenario.of(RUNNING, stapes -> web(stapes).delete(Delete.FORCE)).whateverRuns());
  }

  @Test
  void an_update_that_fails_leaves_record_limits_and_machine_as_they_were() throws Exception {
    failsCleanly(
        EngineScenario.of(
            RUNNING,
            stapes ->
                web(stapes)
                    .update(
                        change ->
                            change
                                .config("environment.NEW", "set")
                                .limits(limits -> limits.processes(7))
                                .device(
                                    "root",
                                    Device.root(
                                        disk ->
                                            disk.pool("default").size(Size.ofKibibytes(16)))))));
  }

  @Test
  void an_update_of_a_stopped_instance_that_fails_leaves_its_limits() throws Exception {
    failsCleanly(
        EngineScenario.of(
            STOPPED,
            stapes ->
                web(stapes)
                    .update(
                        change ->
                            change.device(
                                "root",
                                Device.root(
                                    disk -> disk.pool("default").size(Size.ofKibibytes(16)))))));
  }
}
