package dev.stapes.testkit.engine;

import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigType;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.MemoryStates;
import dev.stapes.spi.Migrations;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeInstances;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Fake virtual machines that can move: their disk is copied while they stand still. */
final class MovingInstances implements InstanceDriverProvider {
  static final ConfigKey<Boolean> STATEFUL =
      ConfigKey.of("migration.stateful", ConfigType.BOOL, "false", true, "Whether it may move");

  private static final String DISK = "/" + Machine.Disk.IMAGE;
  private final FakeInstances fakes;

  MovingInstances(FakeInstances fakes) {
    this.fakes = fakes.type(InstanceType.VIRTUAL_MACHINE);
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
    Moves moves = new Moves(fakes.open(host, scope));
    return (InstanceDriver)
        Proxy.newProxyInstance(
            InstanceDriver.class.getClassLoader(),
            new Class<?>[] {InstanceDriver.class},
            (proxy, method, arguments) -> moves.call(method, arguments));
  }

  /** The memory of fakes cannot be saved, but the engine asks whether it can. */
  private static MemoryStates states() {
    return (MemoryStates)
        Proxy.newProxyInstance(
            MemoryStates.class.getClassLoader(),
            new Class<?>[] {MemoryStates.class},
            (proxy, method, arguments) -> {
              throw new IllegalStateException(method.getName());
            });
  }

  private static final class Moves implements Migrations {
    private final InstanceDriver driver;
    private final Map<InstanceId, Machine> machines = new ConcurrentHashMap<>();

    Moves(InstanceDriver driver) {
      this.driver = driver;
    }

    @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
      return switch (method.getName()) {
        case "configKeys" -> List.of(STATEFUL);
        case "memoryStates" -> Optional.of(states());
        case "migrations" -> Optional.of(this);
        case "start" -> start(spec(arguments));
        case "adopt" -> adopt(spec(arguments));
        case "validate" -> {
          driver.validate(known(spec(arguments)));
          yield null;
        }
        default -> delegate(method, arguments);
      };
    }

    private static Machine.Spec spec(@Nullable Object @Nullable [] arguments) {
      return (Machine.Spec) Objects.requireNonNull(Objects.requireNonNull(arguments)[0]);
    }

    private @Nullable Object delegate(Method method, @Nullable Object @Nullable [] arguments)
        throws Throwable {
      try {
        return method.invoke(driver, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause() == null ? e : e.getCause();
      }
    }

    private Optional<Machine> adopt(Machine.Spec spec) {
      Optional<Machine> adopted = driver.adopt(spec);
      adopted.ifPresent(machine -> machines.put(machine.id(), machine));
      return adopted;
    }

    private Machine start(Machine.Spec spec) {
      Machine machine = driver.start(known(spec));
      machines.put(machine.id(), machine);
      return machine;
    }

    /** With the keys that fakes know. */
    private static Machine.Spec known(Machine.Spec spec) {
      TreeMap<String, String> config = new TreeMap<>(spec.config().values());
      config.remove(STATEFUL.name());
      return new Machine.Spec(
          spec.id(),
          spec.name(),
          spec.lifetime(),
          Config.of(config),
          spec.devices(),
          spec.root(),
          spec.disks());
    }

    private Machine require(InstanceId id) {
      return Optional.ofNullable(machines.get(id))
          .orElseThrow(
              () -> new StapesException(Kind.CONFLICT, "instance " + id, "is not running"));
    }

    @Override
    public String describe(InstanceId id) {
      return require(id).id().value();
    }

    @Override
    public Arrival receive(Machine.Spec spec, String description, Transport transport) {
      Machine machine = start(spec);
      machine.freeze();
      return new Arrived(machine);
    }

    @Override
    public void send(InstanceId id, Arrival arrival, Progress progress) {
      progress.update("disk", 0, 1);
      Machine machine = require(id);
      machine.freeze();
      try (Tree from = machine.files();
          Tree to = arrival.machine().files();
          InputStream in = from.read(DISK);
          OutputStream out = to.write(DISK, 0600)) {
        in.transferTo(out);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      arrival.diskIsWhole();
      progress.update("memory", 1, 1);
      arrival.awaitWhole();
    }

    @Override
    public void takeBack(InstanceId id) {
      Optional.ofNullable(machines.get(id))
          .filter(machine -> !machine.exit().toCompletableFuture().isDone())
          .filter(Machine::isFrozen)
          .ifPresent(Machine::unfreeze);
    }
  }

  private record Arrived(Machine machine) implements Migrations.Arrival {
    @Override
    public <T> Optional<T> as(Class<T> type) {
      return Optional.of(this).filter(type::isInstance).map(type::cast);
    }

    @Override
    public void diskIsWhole() {
      // It was written by now.
    }

    @Override
    public void awaitWhole() {
      // It is a thread.
    }

    @Override
    public void close() {
      // It waits for nothing.
    }
  }
}
