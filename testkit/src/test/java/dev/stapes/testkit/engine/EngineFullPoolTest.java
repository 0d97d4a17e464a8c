package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import org.junit.jupiter.api.Test;

/** A pool without space: typed errors, nothing left, and all of the space back. */
class EngineFullPoolTest {
  private static final Size SPACE = Size.ofMebibytes(4);

  private static EngineWorld world() {
    return EngineWorld.create(
        EngineWorld.Setup.usual().pool(EngineWorld.POOL.with("size", SPACE.toString())));
  }

  private static Pool pool(EngineWorld world) {
    return world.stapes().pools().byDefault();
  }

  private static void exhausted(Runnable attempt) {
    StapesException error = assertThrows(StapesException.class, attempt::run);
    assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
    assertEquals(0, error.getSuppressed().length);
  }

  /** Fails for want of space, and changes nothing, not even the space. */
  private static void exhaustedWithoutTrace(EngineWorld world, Runnable attempt) {
    Size used = pool(world).info().used();
    world.stapes().close();
    EnginePicture before = world.picture();
    world.openAgain();
    exhausted(attempt);
    assertEquals(used, pool(world).info().used());
    world.stapes().close();
    assertEquals(before.toString(), world.picture().toString());
    world.openAgain();
  }

  @Test
  void a_launch_whose_image_does_not_fit_leaves_nothing() {
    try (EngineWorld world = world()) {
      world.stapes().images().importFrom(SmallImage.of("big").fillers(6), "big");
      exhaustedWithoutTrace(
          world,
          () -> world.stapes().instances().launch(InstanceSpec.container("box", "big").build()));
      world.launch("box");
    }
  }

  @Test
  void a_launch_whose_copy_does_not_fit_leaves_nothing() {
    try (EngineWorld world = world()) {
      world.stapes().images().importFrom(SmallImage.of("quarter").fillers(1), "quarter");
      for (String name : new String[] {"one", "two"}) {
        world.stapes().instances().launch(InstanceSpec.container(name, "quarter").build());
      }
      exhaustedWithoutTrace(
          world,
          () ->
              world.stapes().instances().launch(InstanceSpec.container("box", "quarter").build()));
    }
  }

  @Test
  void a_snapshot_or_copy_that_does_not_fit_leaves_nothing_and_the_instance_running() {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      box.files().write("/filler", new byte[3 * SmallImage.FILLER]);
      exhaustedWithoutTrace(
          world, () -> world.stapes().instances().get("box").snapshots().create("clean"));
      exhaustedWithoutTrace(world, () -> world.stapes().instances().get("box").copyTo("copy"));
      assertEquals(0, world.stapes().instances().get("box").exec("true").exitCode());
    }
  }

  @Test
  void a_restore_that_does_not_fit_leaves_the_disk_of_now_and_the_instance_running() {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      box.files().write("/filler", new byte[SmallImage.FILLER]);
      box.snapshots().create("clean");
      box.files().write("/more", new byte[SmallImage.FILLER + SmallImage.FILLER / 2]);
      exhaustedWithoutTrace(
          world, () -> world.stapes().instances().get("box").snapshots().restore("clean"));
      assertTrue(world.stapes().instances().get("box").files().exists("/more"));
    }
  }

  @Test
  void an_import_for_which_there_is_no_space_leaves_nothing() {
    try (EngineWorld world = world()) {
      StapesException full = new StapesException(Kind.EXHAUSTED, "image", "no space left (ENOSPC)");
      exhaustedWithoutTrace(
          world,
          () ->
              world
                  .stapes()
                  .images()
                  .importFrom(SmallImage.of("another").fillers(1).failing(full), "another"));
      world.stapes().images().importFrom(SmallImage.of("another").fillers(1), "another");
    }
  }

  @Test
  void the_space_of_what_is_deleted_comes_back() {
    try (EngineWorld world = world()) {
      Size before = pool(world).info().used();
      Stapes stapes = world.stapes();
      stapes.images().importFrom(SmallImage.of("one").fillers(1), "one");
      Instance box = stapes.instances().launch(InstanceSpec.container("box", "one").build());
      box.snapshots().create("clean");
      box.delete(Delete.FORCE);
      stapes.images().delete("one");
      world.reopen();
      assertEquals(before, pool(world).info().used());
    }
  }

  @Test
  void a_full_pool_that_grows_takes_what_did_not_fit() {
    try (EngineWorld world = world()) {
      world.stapes().images().importFrom(SmallImage.of("big").fillers(6), "big");
      InstanceSpec spec = InstanceSpec.container("box", "big").build();
      exhausted(() -> world.stapes().instances().launch(spec));
      pool(world).grow(Size.ofMebibytes(64));
      assertEquals("big", world.stapes().instances().launch(spec).files().readText("/note"));
    }
  }
}
