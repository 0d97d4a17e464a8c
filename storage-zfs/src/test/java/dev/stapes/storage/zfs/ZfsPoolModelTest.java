package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever is copied and discarded in whatever order, every volume keeps what it holds, and nothing
 * is left when all are gone.
 */
class ZfsPoolModelTest {
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");

  /** A step: copies when there is a source, else makes, writes, discards or reclaims. */
  record Action(int verb, VolumeId source, VolumeId target, boolean readOnly) {}

  @Property(tries = 100)
  void volumes_keep_what_they_hold_and_nothing_is_left_of_those_that_are_gone(
      @ForAll("sequences") List<Action> actions) throws IOException {
    FakeZfs zfs = new FakeZfs();
    FakeHost host = zfs.host().build();
    PoolSpec spec = PoolSpec.of("model", "zfs").source("tank/data");
    Path directory = Files.createTempDirectory("zfs-model");
    StoragePool pool = new ZfsProvider(Path.of("/")).create(host, spec, directory);
    Map<VolumeId, String> model = new TreeMap<>();
    int count = 0;
    for (Action action : actions) {
      count++;
      run(action, pool, zfs, model, "text " + count);
    }
    assertEquals(model, actual(zfs, host));
    List.copyOf(model.keySet()).forEach(pool::discard);
    pool.reclaim();
    assertEquals(List.of("tank", "tank/data", ROOT.text()), zfs.names());
    pool.destroy();
    Files.delete(directory);
  }

  private static void run(
      Action action, StoragePool pool, FakeZfs zfs, Map<VolumeId, String> model, String text) {
    VolumeId source = action.source();
    switch (action.verb()) {
      case 0 -> {
        if (!model.containsKey(source)) {
          pool.create(source);
          model.put(source, "");
        }
      }
      case 1 -> {
        Place place = Place.of(ROOT.child(VolumeNames.component(source)));
        if (model.containsKey(source) && zfs.names().contains(place.toString())) {
          zfs.write(place, text);
          model.put(source, text);
        }
      }
      case 2 -> {
        pool.discard(source);
        model.remove(source);
      }
      case 3 -> pool.reclaim();
      default -> {
        String content = model.get(source);
        if (content != null && !model.containsKey(action.target())) {
          pool.copy(source, action.target(), action.readOnly());
          model.put(action.target(), content);
        }
      }
    }
    assertEquals(model.keySet(), pool.list());
  }

  private static Map<VolumeId, String> actual(FakeZfs zfs, FakeHost host) {
    Map<VolumeId, String> actual = new TreeMap<>();
    List<Entry> entries = FakeZfs.programs(host).entries(ROOT);
    VolumeIndex.volumes(ROOT, entries).forEach((id, place) -> actual.put(id, zfs.content(place)));
    return actual;
  }

  @Provide
  Arbitrary<List<Action>> sequences() {
    Arbitrary<VolumeId> ids =
        Arbitraries.of("a", "b", "c", "d").map(name -> new VolumeId(VolumeId.Kind.INSTANCE, name));
    return Combinators.combine(
            Arbitraries.integers().between(0, 7), ids, ids, Arbitraries.of(true, false))
        .as(Action::new)
        .list()
        .ofMinSize(5)
        .ofMaxSize(40);
  }
}
