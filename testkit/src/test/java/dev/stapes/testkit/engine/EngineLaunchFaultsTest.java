package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.Size;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every effect of making and starting an instance fails once. */
@Tag("once")
class EngineLaunchFaultsTest {
  private static final Consumer<EngineWorld> STOPPED =
      world -> {
        world.launch("web").exec("write", "mine").orThrow();
        web(world.stapes()).stop();
      };

  private static Instance web(Stapes stapes) {
    return stapes.instances().get("web");
  }

  private static void failsCleanly(EngineScenario scenario) throws Exception {
    assertTrue(scenario.forEveryEffect() > 0);
  }

  @Test
  void a_launch_that_fails_leaves_nothing() throws Exception {
    failsCleanly(
        EngineScenario.of(
            STOPPED, stapes -> stapes.instances().launch(EngineWorld.spec("new").build())));
  }

  @Test
  void a_launch_with_a_limited_disk_and_a_custom_volume_leaves_nothing() throws Exception {
    failsCleanly(
        EngineScenario.of(
            STOPPED.andThen(world -> world.stapes().pools().byDefault().volumes().create("data")),
            stapes ->
                stapes
                    .instances()
                    .launch(
                        EngineWorld.spec("new")
                            .device("root", Device.root(disk -> disk.size(Size.ofKibibytes(16))))
                            .device(
                                "data",
                                Device.disk("/data", disk -> disk.volume("default", "data")))
                            .build())));
  }

  @Test
  void a_launch_that_unpacks_its_image_leaves_at_most_the_unpacked_image() throws Exception {
    failsCleanly(
        EngineScenario.of(
                world -> {}, stapes -> stapes.instances().launch(EngineWorld.spec("new").build()))
            .seenThrough(EnginePicture::withoutUnpackedImages));
  }

  @Test
  void a_start_that_fails_leaves_it_stopped() throws Exception {
    failsCleanly(EngineScenario.of(STOPPED, stapes -> web(stapes).start()));
  }
}
