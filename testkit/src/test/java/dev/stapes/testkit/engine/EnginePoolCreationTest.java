package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.testkit.Faults;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool in a directory of the user's, made by a Stapes that fails or dies meanwhile. */
class EnginePoolCreationTest {
  @TempDir Path directory;

  private PoolSpec more(Path source) {
    return PoolSpec.of("more", "fake").with("source", source.toString());
  }

  @Test
  void wherever_a_creation_fails_nothing_is_left() throws Exception {
    int effects = run(0, false);
    assertTrue(effects > 0);
    for (int n = 1; n <= effects; n++) {
      run(n, false);
    }
  }

  @Test
  void wherever_it_dies_the_next_open_removes_what_is_left() throws Exception {
    int effects = run(0, true);
    for (int n = 1; n <= effects; n++) {
      run(n, true);
    }
  }

  /** How many effects the creation has. */
  private int run(int n, boolean dies) throws Exception {
    Path source = Files.createDirectory(directory.resolve("disk-" + dies + n));
    Faults faults = new Faults();
    try (EngineWorld world = EngineWorld.create(faults, EngineWorld.Setup.usual())) {
      if (n == 0) {
        faults.count();
      } else if (dies) {
        faults.dieAtNth(n);
      } else {
        faults.failNth(n);
      }
      boolean failed = false;
      try {
        world.stapes().pools().create(more(source));
      } catch (StapesException e) {
        failed = true;
      }
      final int effects = n == 0 ? faults.effects() : 0;
      assertEquals(n > 0, failed, "effect " + n);
      close(world);
      faults.count();
      world.openAgain();
      boolean there =
          world.stapes().pools().list().stream().anyMatch(pool -> pool.name().equals("more"));
      assertEquals(n == 0, there, "effect " + n);
      if (there) {
        world.stapes().pools().get("more").delete();
      }
      assertArrayEquals(new String[0], source.toFile().list(), "effect " + n);
      assertFalse(Files.exists(world.root().resolve("pools").resolve("more")), "effect " + n);
      return effects;
    }
  }

  private static void close(EngineWorld world) {
    try {
      world.stapes().close();
    } catch (StapesException e) {
      assertEquals(Kind.INTERNAL, e.kind(), e::toString); // the one of the test
    }
  }

  @Test
  void what_somebody_else_has_at_the_source_is_not_touched() throws Exception {
    Path source = Files.createDirectory(directory.resolve("disk"));
    Files.createFile(source.resolve("fake-pool"));
    try (EngineWorld world = EngineWorld.create(EngineWorld.Setup.usual())) {
      StapesException error =
          assertThrows(StapesException.class, () -> world.stapes().pools().create(more(source)));
      assertEquals(Kind.CONFLICT, error.kind(), error::toString);
      world.reopen();
      assertTrue(Files.exists(source.resolve("fake-pool")));
    }
  }

  @Test
  void what_cannot_be_removed_is_tried_again_by_each_open_until_it_is_gone() throws Exception {
    Path source = Files.createDirectory(directory.resolve("disk"));
    List<Unfinished> asked = new ArrayList<>();
    boolean[] stuck = {true};
    EngineWorld.Setup setup =
        EngineWorld.Setup.usual().storage(real -> new Sticky(real, asked, stuck));
    Faults faults = new Faults();
    try (EngineWorld world = EngineWorld.create(faults, setup)) {
      assertThrows(StapesException.class, () -> world.stapes().pools().create(more(source)));
      Path own = world.root().resolve("pools").resolve("more");
      assertEquals(1, asked.size());
      assertTrue(Files.exists(own));
      world.reopen();
      assertEquals(2, asked.size());
      assertTrue(Files.exists(own));
      StapesException error =
          assertThrows(StapesException.class, () -> world.stapes().pools().create(more(source)));
      assertEquals(Kind.BUSY, error.kind(), error::toString); // its mark must not be moved away
      assertTrue(error.toString().contains("somebody uses it"), error::toString);
      stuck[0] = false;
      world.reopen();
      assertEquals(4, asked.size());
      assertFalse(Files.exists(own));
      world.reopen();
      assertEquals(Collections.nCopies(4, Unfinished.CREATION), asked);
    }
  }

  @Test
  void who_makes_one_of_the_name_again_removes_what_is_left_first() throws Exception {
    Path source = Files.createDirectory(directory.resolve("disk"));
    List<Unfinished> asked = new ArrayList<>();
    boolean[] stuck = {true};
    EngineWorld.Setup setup =
        EngineWorld.Setup.usual().storage(real -> new Sticky(real, asked, stuck));
    try (EngineWorld world = EngineWorld.create(setup)) {
      assertThrows(StapesException.class, () -> world.stapes().pools().create(more(source)));
      stuck[0] = false;
      StapesException again =
          assertThrows(StapesException.class, () -> world.stapes().pools().create(more(source)));
      assertEquals(Kind.INTERNAL, again.kind(), again::toString); // made half, and removed
      assertEquals(3, asked.size());
      assertArrayEquals(new String[0], source.toFile().list());
      world.reopen();
      assertEquals(3, asked.size());
    }
  }

  /** A driver that makes pools called more half, and removes them when it may. */
  private static final class Sticky extends PassingStorage {
    private final List<Unfinished> asked;
    private final boolean[] stuck;

    Sticky(StorageDriverProvider real, List<Unfinished> asked, boolean[] stuck) {
      super(real);
      this.asked = asked;
      this.stuck = stuck;
    }

    @Override
    public StoragePool create(Host host, PoolSpec spec, Path directory) {
      StoragePool made = super.create(host, spec, directory);
      if (spec.name().equals("more")) {
        throw new StapesException(Kind.INTERNAL, "pool more", "half made");
      }
      return made;
    }

    @Override
    public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
      asked.add(what);
      if (stuck[0]) {
        throw new StapesException(Kind.BUSY, "pool more", "somebody uses it");
      }
      super.sweep(host, spec, directory, what);
    }
  }
}
