package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each command and each call fails once, before it is done or after; or the process dies there. */
class ZfsEffectsTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId C = new VolumeId(VolumeId.Kind.INSTANCE, "c");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final VolumeId MIDDLE = new VolumeId(VolumeId.Kind.SNAPSHOT, "middle");
  private static final VolumeId NEW = new VolumeId(VolumeId.Kind.SNAPSHOT, "new");
  private static final VolumeId MORE = new VolumeId(VolumeId.Kind.SNAPSHOT, "more");
  private static final List<VolumeId> TOGETHER = List.of(OLD, MIDDLE, NEW, A);
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");
  private static final PoolSpec SPEC = PoolSpec.of("p", "zfs").source("tank/data");

  @TempDir Path room;

  /** A pool with a volume that has three snapshots, of which one was copied. */
  private final class World {
    final FakeZfs zfs = new FakeZfs();
    final FakeHost host = zfs.host().build();
    final Path directory;
    StoragePool pool;

    World(Faults faults) {
      try {
        directory = Files.createTempDirectory(room, "pool");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      ZfsCalls calls = faults.wrap(ZfsCalls.class, new FakeCalls(host));
      ZfsProvider provider = new ZfsProvider(Path.of("/"), () -> Optional.of(calls));
      pool = provider.create(faults.wrap(Host.class, host), SPEC, directory);
      pool.create(A);
      for (VolumeId snapshot : List.of(OLD, MIDDLE, NEW)) {
        zfs.write(Place.of(ROOT.child("instances:a")), "at " + snapshot);
        pool.copy(A, snapshot, true);
      }
      pool.copy(MIDDLE, B, false);
      faults.count();
    }

    /** What there is, as ZFS says. */
    Map<VolumeId, String> volumes() {
      Map<VolumeId, String> found = new TreeMap<>();
      VolumeIndex.volumes(ROOT, FakeZfs.programs(host).entries(ROOT))
          .forEach((id, place) -> found.put(id, zfs.content(place)));
      assertEquals(found.keySet(), pool.list());
      return found;
    }

    /** As after a kill. */
    void reopen() {
      pool = new ZfsProvider(Path.of("/")).open(host, SPEC, directory);
    }

    boolean hasTrash() {
      return zfs.names().stream().anyMatch(name -> name.contains("gone:"));
    }
  }

  /** What is done to a pool wholly or not at all. */
  private record Scenario(ZfsEffectsTest test, Consumer<StoragePool> action)
      implements EffectScenario<World> {
    @Override
    public World prepare(Faults faults) {
      return test.new World(faults);
    }

    @Override
    public void act(World world) {
      action.accept(world.pool);
    }

    @Override
    public Object state(World world) {
      return world.volumes();
    }

    @Override
    public void dispose(World world) {
      world.pool.reclaim();
      world.pool.destroy();
      assertEquals(List.of("tank", "tank/data"), world.zfs.names());
    }
  }

  private void wholeOrNot(Consumer<StoragePool> action) throws Exception {
    int effects = new Scenario(this, action).forEveryEffect();
    assertTrue(effects > 0, "nothing was done");
  }

  @Test
  void what_is_made_is_there_or_not() throws Exception {
    wholeOrNot(pool -> pool.create(C));
    wholeOrNot(pool -> pool.copy(A, MORE, true));
    wholeOrNot(pool -> pool.copy(A, C, false));
    wholeOrNot(pool -> pool.copy(OLD, C, false));
    wholeOrNot(pool -> pool.copy(OLD, MORE, true));
    wholeOrNot(pool -> pool.groupCopies().orElseThrow().copy(Map.of(A, MORE, B, C)));
  }

  @Test
  void what_is_discarded_is_whole_or_gone() throws Exception {
    wholeOrNot(pool -> pool.discard(A));
    wholeOrNot(pool -> pool.discard(OLD));
    wholeOrNot(pool -> pool.discard(MIDDLE));
  }

  @Test
  void of_what_goes_together_each_is_whole_or_gone_and_goes_the_next_time() {
    everywhere(
        world -> world.pool.discardAll(TOGETHER),
        (before, after) -> {
          assertEquals(before.get(B), after.get(B));
          after.forEach((id, content) -> assertEquals(before.get(id), content, id::toString));
        });
  }

  @Test
  void whatever_fails_while_space_is_freed_no_volume_is_harmed() {
    everywhere(
        world -> {
          world.pool.discardAll(List.of(OLD, MIDDLE, A));
          world.pool.reclaim();
        },
        (before, after) -> {
          assertEquals(before.get(B), after.get(B));
          assertEquals(before.get(NEW), after.get(NEW));
        });
  }

  private interface Check {
    void compare(Map<VolumeId, String> before, Map<VolumeId, String> after);
  }

  /** Fails at each effect, in each way; then all that goes together goes, and leaves nothing. */
  private void everywhere(Consumer<World> action, Check check) {
    Faults counting = new Faults();
    World whole = new World(counting);
    action.accept(whole);
    int effects = counting.effects();
    assertTrue(effects > 2, counting.trace()::toString);
    for (int n = 1; n <= effects; n++) {
      int nth = n;
      List<Consumer<Faults>> ways =
          List.of(
              faults -> faults.failNth(nth),
              faults -> faults.failAfterNth(nth),
              faults -> faults.dieAtNth(nth));
      for (Consumer<Faults> way : ways) {
        Faults faults = new Faults();
        World world = new World(faults);
        Map<VolumeId, String> before = world.volumes();
        way.accept(faults);
        attempt(() -> action.accept(world));
        faults.count();
        world.reopen();
        check.compare(before, world.volumes());
        world.pool.discardAll(TOGETHER);
        world.pool.reclaim();
        assertEquals(Map.of(B, "at " + MIDDLE), world.volumes());
        assertTrue(!world.hasTrash(), () -> "after effect " + nth + ": " + world.zfs.names());
      }
    }
  }

  private static void attempt(Runnable action) {
    try {
      action.run();
    } catch (StapesException e) {
      // some of it was not done
    }
  }
}
