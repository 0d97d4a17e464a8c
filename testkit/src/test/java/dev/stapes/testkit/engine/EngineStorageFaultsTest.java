package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.VolumeSpec;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every effect of every change to pools, images and custom volumes fails once. */
@Tag("once")
class EngineStorageFaultsTest {
  private static final Optional<Size> LIMIT = Optional.of(Size.ofKibibytes(16));

  private static final VolumeSpec LIMITED = VolumeSpec.of("data").size(Size.ofKibibytes(16));

  private static final PoolSpec MORE = PoolSpec.of("more", "fake");

  private static final Consumer<EngineWorld> NOTHING = world -> {};

  private static final Consumer<EngineWorld> VOLUME =
      world -> pool(world.stapes()).volumes().create("data");

  private static final Consumer<EngineWorld> UNPACKED =
      world -> world.stapes().instances().create(EngineWorld.spec("web").build());

  private static Pool pool(Stapes stapes) {
    return stapes.pools().byDefault();
  }

  private static void failsCleanly(Consumer<EngineWorld> given, Consumer<Stapes> operation)
      throws Exception {
    assertTrue(EngineScenario.of(given, operation).forEveryEffect() > 0);
  }

  @Test
  void an_import_that_fails_leaves_nothing() throws Exception {
    failsCleanly(
        NOTHING, stapes -> stapes.images().importFrom(SmallImage.of("another"), "another", "too"));
  }

  @Test
  void an_import_of_a_known_image_that_fails_leaves_its_aliases() throws Exception {
    failsCleanly(NOTHING, stapes -> stapes.images().importFrom(SmallImage.of("fresh"), "more"));
  }

  @Test
  void a_deletion_of_an_image_that_fails_leaves_it() throws Exception {
    failsCleanly(UNPACKED, stapes -> stapes.images().delete(EngineWorld.IMAGE));
  }

  @Test
  void an_alias_that_fails_leaves_none() throws Exception {
    failsCleanly(NOTHING, stapes -> stapes.images().addAlias(EngineWorld.IMAGE, "more"));
  }

  @Test
  void a_volume_that_fails_leaves_nothing() throws Exception {
    failsCleanly(NOTHING, stapes -> pool(stapes).volumes().create(LIMITED));
  }

  @Test
  void a_copy_of_a_volume_that_fails_leaves_nothing() throws Exception {
    failsCleanly(VOLUME, stapes -> pool(stapes).volumes().get("data").copyTo("copy"));
  }

  @Test
  void a_resize_that_fails_leaves_the_old_limit() throws Exception {
    failsCleanly(VOLUME, stapes -> pool(stapes).volumes().get("data").resize(LIMIT));
  }

  @Test
  void a_deletion_of_a_volume_that_fails_leaves_it() throws Exception {
    failsCleanly(VOLUME, stapes -> pool(stapes).volumes().get("data").delete());
  }

  @Test
  void a_pool_that_fails_leaves_nothing() throws Exception {
    failsCleanly(NOTHING, stapes -> stapes.pools().create(MORE));
  }

  @Test
  void a_deletion_of_a_pool_that_fails_leaves_it_or_is_finished_by_the_next_open()
      throws Exception {
    EngineScenario scenario =
        EngineScenario.of(
                world -> world.stapes().pools().create(MORE),
                stapes -> stapes.pools().get(MORE.name()).delete())
            .mayGoForward(UnaryOperator.identity());
    assertTrue(scenario.forEveryEffect() > 0);
  }

  @Test
  void a_pool_that_fails_to_grow_keeps_its_size() throws Exception {
    failsCleanly(NOTHING, stapes -> pool(stapes).grow(Size.ofGibibytes(2)));
  }
}
