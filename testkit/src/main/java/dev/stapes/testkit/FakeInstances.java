package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static dev.stapes.model.StapesException.Kind.UNSUPPORTED;

import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * An instance driver whose instances are threads. They have {@link FakeProgram}s, a console, the
 * files of their root disk, and a life of their own in a {@link FakeMachineRoom}; no limit is
 * enforced and no usage measured. It passes the contract of instance drivers.
 *
 * <p>{@code true false echo cat env pwd} and {@code sleep} are installed; the first process waits
 * until it is asked to shut down, unless {@link #init} gives another.
 */
public final class FakeInstances implements InstanceDriverProvider {
  private static final long FIRST = 1_000_000;
  private static final long IDS = 65_536;
  private static final ConfigKey<Long> BASE =
      ConfigKey.of(
          "volatile.fake.base",
          dev.stapes.model.ConfigType.integer(0, Integer.MAX_VALUE),
          false,
          "First host id of the instance");

  /** The ids that an instance of this config gets. */
  static Optional<IdMapping> mappingOf(Config config) {
    return config.get(BASE).map(base -> IdMapping.of(base, IDS));
  }

  private final FakeMachineRoom room;
  private final InstanceType type;
  private final Map<String, FakeProgram> programs;
  private final FakeProgram init;

  private FakeInstances(
      FakeMachineRoom room,
      InstanceType type,
      Map<String, FakeProgram> programs,
      FakeProgram init) {
    this.room = room;
    this.type = type;
    this.programs = programs;
    this.init = init;
  }

  /** Containers that run in a room. */
  public static FakeInstances in(FakeMachineRoom room) {
    return new FakeInstances(
        room, InstanceType.CONTAINER, FakePrograms.usual(), FakePrograms::waitForShutdown);
  }

  /** The same, driving another type of instance. */
  public FakeInstances type(InstanceType other) {
    return new FakeInstances(room, other, programs, init);
  }

  /** The same with a program more, by its name without a directory. */
  public FakeInstances program(String name, FakeProgram program) {
    Map<String, FakeProgram> more = new TreeMap<>(programs);
    more.put(name, program);
    return new FakeInstances(room, type, Map.copyOf(more), init);
  }

  /**
   * The same with another first process. It reads the console; a shutdown is signal 30 (SIGPWR);
   * the instance ends when it does.
   */
  public FakeInstances init(FakeProgram program) {
    return new FakeInstances(room, type, programs, program);
  }

  /** The same with a first process that does not listen when it is asked to shut down. */
  public FakeInstances ignoringShutdown() {
    return init(FakePrograms::waitForKill);
  }

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public InstanceType type() {
    return type;
  }

  @Override
  public Availability probe(Host host) {
    return Availability.available();
  }

  @Override
  public InstanceDriver open(Host host, Scope scope) {
    return new Driver(host, scope);
  }

  private final class Driver implements InstanceDriver {
    private final Host host;
    private final Scope scope;
    private final String tag;
    private volatile boolean closed;

    Driver(Host host, Scope scope) {
      this.host = host;
      this.scope = scope;
      this.tag = scope.tag();
    }

    @Override
    public List<ConfigKey<?>> configKeys() {
      return List.of();
    }

    @Override
    public void validate(Machine.Spec spec) {
      new ConfigSchema(InstanceKeys.SCHEMA.keys())
          .validate("instance " + spec.name(), spec.config().values());
      spec.devices()
          .forEach(
              (name, device) -> {
                if (device instanceof Device.Raw raw) {
                  throw new StapesException(
                      UNSUPPORTED, "device " + name, "no such type: \"" + raw.type() + "\"");
                }
              });
    }

    @Override
    public Map<String, String> allocate(Config config, Collection<Config> others) {
      if (config.get(BASE).isPresent()) {
        return Map.of();
      }
      long next =
          others.stream()
              .flatMap(other -> other.get(BASE).stream())
              .mapToLong(base -> base + IDS)
              .max()
              .orElse(FIRST);
      return Map.of(BASE.name(), Long.toString(next));
    }

    @Override
    public Optional<IdMapping> idMapping(Config config) {
      return mappingOf(config);
    }

    /** Virtual machines take disks while they run. */
    @Override
    public boolean changesLive(Optional<Device> before, Optional<Device> after) {
      return type == InstanceType.VIRTUAL_MACHINE
          && Stream.of(before, after)
              .flatMap(Optional::stream)
              .allMatch(device -> device instanceof Device.Disk);
    }

    @Override
    public Machine start(Machine.Spec spec) {
      ensureOpen();
      validate(spec);
      if (room.find(tag, spec.id()).isPresent()) {
        throw new StapesException(
            StapesException.Kind.CONFLICT, "instance " + spec.name(), "runs already");
      }
      Tree files;
      try {
        files =
            host.tree(
                host.mounts().local(spec.root().path()),
                Tree.Resolution.IN_ROOT,
                spec.root().mapped());
      } catch (StapesException e) {
        throw new StapesException(
            INTERNAL, "instance " + spec.name(), "does not start: log: " + e.getMessage(), e);
      }
      FakeRunning running = new FakeRunning(spec, files, programs, log(spec));
      running.boot(init);
      room.add(tag, running);
      return new FakeMachine(running);
    }

    private Path log(Machine.Spec spec) {
      return spec.lifetime() == Lifetime.THROWAWAY
          ? scope.runDirectory().resolve(spec.id() + ".log")
          : scope.consoleLog(spec.id());
    }

    @Override
    public Optional<Machine> adopt(Machine.Spec spec) {
      ensureOpen();
      return room.find(tag, spec.id()).map(FakeMachine::new);
    }

    @Override
    public void collect(Set<InstanceId> keep) {
      ensureOpen();
      room.all(tag).stream()
          .filter(machine -> !keep.contains(machine.spec().id()))
          .forEach(FakeRunning::kill);
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        room.all(tag).stream()
            .filter(machine -> machine.spec().lifetime() == Lifetime.THROWAWAY)
            .forEach(FakeRunning::kill);
      }
    }

    private void ensureOpen() {
      if (closed) {
        throw new StapesException(UNAVAILABLE, "fake driver", "closed");
      }
    }
  }
}
