package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.Instance;
import dev.stapes.model.Config;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Migrations;
import dev.stapes.spi.TakenException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a driver chose turns out to be somebody else's when an instance starts. */
class EngineTakenTest {
  private static final String KEY = "volatile.number";

  private int taken;
  private int chosen;

  /** A driver that chooses a number each time, of which the first ones are somebody else's. */
  private final class Choosing implements InstanceDriverProvider {
    private final InstanceDriverProvider fakes;

    Choosing(InstanceDriverProvider fakes) {
      this.fakes = fakes;
    }

    @Override
    public String name() {
      return fakes.name();
    }

    @Override
    public InstanceType type() {
      return fakes.type();
    }

    @Override
    public Availability probe(Host host) {
      return fakes.probe(host);
    }

    @Override
    public InstanceDriver open(Host host, Scope scope) {
      InstanceDriver driver = fakes.open(host, scope);
      return (InstanceDriver)
          Proxy.newProxyInstance(
              InstanceDriver.class.getClassLoader(),
              new Class<?>[] {InstanceDriver.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("start")) {
                  requireFree((Machine.Spec) Objects.requireNonNull(arguments)[0]);
                }
                try {
                  Object answer = method.invoke(driver, arguments);
                  return switch (method.getName()) {
                    case "allocate" -> choose(answer);
                    case "migrations" -> ((Optional<?>) answer).map(this::choosing);
                    default -> answer;
                  };
                } catch (InvocationTargetException e) {
                  throw Objects.requireNonNull(e.getCause());
                }
              });
    }

    private Migrations choosing(Object migrations) {
      return (Migrations)
          Proxy.newProxyInstance(
              Migrations.class.getClassLoader(),
              new Class<?>[] {Migrations.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("receive")) {
                  requireFree((Machine.Spec) Objects.requireNonNull(arguments)[0]);
                }
                try {
                  return method.invoke(migrations, arguments);
                } catch (InvocationTargetException e) {
                  throw Objects.requireNonNull(e.getCause());
                }
              });
    }

    private Map<String, String> choose(Object answer) {
      Map<String, String> all = new HashMap<>();
      ((Map<?, ?>) answer).forEach((key, value) -> all.put((String) key, (String) value));
      all.put(KEY, Integer.toString(++chosen));
      return all;
    }

    private void requireFree(Machine.Spec spec) {
      Config config = spec.config();
      if (Integer.parseInt(config.text(KEY).orElseThrow()) <= taken) {
        throw new TakenException("instance " + spec.name(), "taken", new IllegalStateException());
      }
    }
  }

  private EngineWorld world() {
    return EngineWorld.create(EngineWorld.Setup.usual().driver(Choosing::new));
  }

  @Test
  void another_choice_is_made_and_remembered() {
    try (EngineWorld world = world()) {
      Instance one = world.stapes().instances().create(EngineWorld.spec("one").build());
      taken = chosen + 3;
      one.start();
      assertEquals(InstanceStatus.RUNNING, one.info().status());
      assertEquals(Integer.toString(taken + 1), one.info().config().values().get(KEY));
    }
  }

  private static String numberOf(Instance instance) {
    return instance.info().config().values().getOrDefault(KEY, "none");
  }

  @Test
  void one_that_arrives_is_given_another_choice() {
    EngineWorld.Setup moving =
        EngineWorld.Setup.usual().driver(fakes -> new Choosing(new MovingInstances(fakes)));
    try (EngineWorld here = EngineWorld.create(moving);
        EngineWorld there = EngineWorld.create(moving)) {
      Instance vm = here.stapes().instances().create(EngineMovesTest.spec("vm").build());
      vm.start();
      vm.files().write("/root.img", "a disk".getBytes(StandardCharsets.UTF_8));
      taken = chosen + 5;
      Instance moved = vm.migrateTo(there.stapes(), "moved");
      assertEquals(InstanceStatus.RUNNING, moved.info().status());
      assertEquals(Integer.toString(taken + 1), numberOf(moved));
      assertEquals(taken + 1, chosen);

      taken = Integer.MAX_VALUE;
      StapesException e =
          assertThrows(StapesException.class, () -> moved.migrateTo(here.stapes(), "vm"));
      assertEquals(Kind.BUSY, e.kind());
      assertEquals(InstanceStatus.RUNNING, moved.info().status());
      assertEquals(List.of(), here.stapes().instances().list());
      taken = 0;
      moved.migrateTo(here.stapes(), "vm");
    }
  }

  @Test
  void where_all_are_somebody_elses_the_start_fails() {
    try (EngineWorld world = world()) {
      Instance one = world.stapes().instances().create(EngineWorld.spec("one").build());
      int before = chosen;
      taken = Integer.MAX_VALUE;
      StapesException e = assertThrows(StapesException.class, one::start);
      assertEquals(Kind.BUSY, e.kind());
      assertEquals(InstanceStatus.STOPPED, one.info().status());
      assertEquals(10, chosen - before);
      taken = 0;
      one.start();
    }
  }
}
