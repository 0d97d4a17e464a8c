package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Pool;
import dev.stapes.Pools;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Pools that do not open any more. */
class EngineBrokenPoolTest {
  private static final PoolSpec OTHER = PoolSpec.of("other", "fake");

  private static StapesException refusal(Runnable call) {
    return assertThrows(StapesException.class, call::run);
  }

  private static Path directory(EngineWorld world) {
    return world.root().resolve("pools").resolve("other");
  }

  private static Stapes reopenWithout(EngineWorld world) throws IOException {
    world.stapes().close();
    Files.delete(directory(world).resolve("fake-pool"));
    Files.writeString(directory(world).resolve("rest"), "of the data");
    return world.openAgain();
  }

  private static List<String> names(Pools pools) {
    return pools.list().stream().map(PoolInfo::name).toList();
  }

  @Test
  void a_pool_that_is_broken_can_be_forgotten_and_made_anew() throws IOException {
    try (EngineWorld world = EngineWorld.create()) {
      Pool other = world.stapes().pools().create(OTHER);
      other.volumes().create("data");
      Pools pools = reopenWithout(world).pools();
      assertEquals(List.of("default"), names(pools));
      assertEquals(List.of("other"), List.copyOf(pools.broken().keySet()));
      assertTrue(String.valueOf(pools.broken().get("other")).contains("no fake pool"));
      assertEquals(Kind.UNAVAILABLE, refusal(() -> pools.get("other").delete()).kind());
      assertEquals(Kind.CONFLICT, refusal(() -> pools.create(OTHER)).kind());

      pools.forget("other");
      assertEquals(0, pools.broken().size());
      assertEquals(Kind.NOT_FOUND, refusal(() -> pools.get("other")).kind());
      assertEquals(List.of(), pools.create(OTHER).volumes().list());
      assertEquals(List.of("default", "other"), names(world.reopen().pools()));
      try (Stream<Path> all = Files.walk(world.root().resolve("pools"))) {
        List<Path> kept = all.filter(path -> path.endsWith("rest")).toList();
        assertEquals(1, kept.size());
        assertEquals("of the data", Files.readString(kept.get(0)));
      }
    }
  }

  @Test
  void a_broken_pool_is_not_forgotten_while_an_instance_uses_it() throws IOException {
    try (EngineWorld world = EngineWorld.create()) {
      world.stapes().pools().create(OTHER).volumes().create("data");
      world
          .stapes()
          .instances()
          .create(
              EngineWorld.spec("in-it")
                  .device("root", Device.root(disk -> disk.pool("other")))
                  .build());
      world
          .stapes()
          .instances()
          .create(
              EngineWorld.spec("names-it")
                  .device("data", Device.disk("/data", disk -> disk.volume("other", "data")))
                  .build());
      Stapes stapes = reopenWithout(world);
      String inUse = "pool other: in use by instance ";
      Set<String> users = new TreeSet<>();
      for (int i = 0; i < 2; i++) {
        StapesException refused = refusal(() -> stapes.pools().forget("other"));
        assertEquals(Kind.BUSY, refused.kind());
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.startsWith(inUse), message);
        users.add(message.substring(inUse.length()));
        stapes.instances().get(message.substring(inUse.length())).delete();
      }
      assertEquals(Set.of("in-it", "names-it"), users);
      stapes.pools().forget("other");
      world.reopen();
      assertEquals(
          List.of(),
          world.picture().lines().stream().filter(line -> line.startsWith("intents/")).toList());
    }
  }

  @Test
  void only_broken_pools_are_forgotten() {
    try (EngineWorld world = EngineWorld.create()) {
      Pools pools = world.stapes().pools();
      assertEquals(Kind.CONFLICT, refusal(() -> pools.forget("default")).kind());
      assertEquals(Kind.NOT_FOUND, refusal(() -> pools.forget("other")).kind());
      assertEquals(List.of("default"), names(pools));
    }
  }
}
