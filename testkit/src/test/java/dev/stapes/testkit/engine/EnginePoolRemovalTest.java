package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.Faults;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool in a directory of the user's, deleted by a Stapes that fails or dies meanwhile. */
class EnginePoolRemovalTest {
  @Test
  void wherever_a_deletion_fails_the_pool_is_whole_or_the_next_open_removes_it(
      @TempDir Path directory) throws Exception {
    int effects = run(directory, 0, false);
    assertTrue(effects > 0);
    for (int n = 1; n <= effects; n++) {
      run(directory, n, false);
    }
  }

  @Test
  void wherever_it_dies_the_pool_is_whole_or_the_next_open_removes_it(@TempDir Path directory)
      throws Exception {
    int effects = run(directory, 0, true);
    for (int n = 1; n <= effects; n++) {
      run(directory, n, true);
    }
  }

  private static void close(EngineWorld world) {
    try {
      world.stapes().close();
    } catch (StapesException e) {
      assertEquals(StapesException.Kind.INTERNAL, e.kind(), e::toString); // the one of the test
    }
  }

  /** How many effects the deletion has. */
  private static int run(Path directory, int n, boolean dies) throws Exception {
    Path source = Files.createDirectory(directory.resolve("disk-" + dies + n));
    Faults faults = new Faults();
    try (EngineWorld world = EngineWorld.create(faults, EngineWorld.Setup.usual())) {
      world.stapes().pools().create(PoolSpec.of("more", "fake").with("source", source.toString()));
      if (n == 0) {
        faults.count();
      } else if (dies) {
        faults.dieAtNth(n);
      } else {
        faults.failNth(n);
      }
      boolean failed = false;
      try {
        world.stapes().pools().get("more").delete();
      } catch (StapesException e) {
        failed = true;
      }
      final int effects = n == 0 ? faults.effects() : 0;
      assertEquals(n > 0, failed, "effect " + n);
      close(world);
      faults.count();
      world.openAgain();
      if (world.stapes().pools().list().stream().anyMatch(pool -> pool.name().equals("more"))) {
        world.stapes().pools().get("more").volumes().create("data");
        world.stapes().pools().get("more").volumes().get("data").delete();
        world.stapes().pools().get("more").delete();
      }
      assertArrayEquals(new String[0], source.toFile().list(), "effect " + n);
      return effects;
    }
  }
}
