package dev.stapes.testkit.engine;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.FakeStorage;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A Stapes of fakes, and what stays when it is closed: disk, records, and machines that run. */
final class EngineWorld implements AutoCloseable {
  /** The alias of an image with one file, {@code note}, that says {@code fresh}. */
  static final String IMAGE = "small";

  /** The default pool. */
  static final PoolSpec POOL = PoolSpec.of("default", "fake");

  private static final Clock NOON =
      Clock.fixed(Instant.parse("2024-05-01T12:00:00Z"), ZoneOffset.UTC);

  private final Path root;
  private final Faults faults;
  private final KeptStore kept;
  private final Setup setup;
  private final FakeMachineRoom room = FakeMachineRoom.create();
  private final FakeStorage storage;
  private final InstanceDriverProvider instances;
  private FakeHost host = FakeHost.create();
  private Stapes stapes;

  /**
   * What may differ.
   *
   * @param clock of the engine
   * @param pool the default one
   * @param sqlite whether records are in a file
   * @param driver changes the fake instances
   * @param storage changes the fake storage
   * @param devices whether the fake storage has block volumes
   */
  record Setup(
      Clock clock,
      PoolSpec pool,
      boolean sqlite,
      Function<FakeInstances, InstanceDriverProvider> driver,
      UnaryOperator<StorageDriverProvider> storage,
      boolean devices) {
    /** Records in memory, a clock that stands still. */
    static Setup usual() {
      return new Setup(NOON, POOL, false, fake -> fake, UnaryOperator.identity(), false);
    }

    Setup clock(Clock other) {
      return new Setup(other, pool, sqlite, driver, storage, devices);
    }

    Setup pool(PoolSpec other) {
      return new Setup(clock, other, sqlite, driver, storage, devices);
    }

    Setup onSqlite() {
      return new Setup(clock, pool, true, driver, storage, devices);
    }

    Setup driver(Function<FakeInstances, InstanceDriverProvider> change) {
      return new Setup(clock, pool, sqlite, change, storage, devices);
    }

    Setup withDevices() {
      return new Setup(clock, pool, sqlite, driver, storage, true);
    }

    Setup storage(UnaryOperator<StorageDriverProvider> change) {
      return new Setup(clock, pool, sqlite, driver, change, devices);
    }
  }

  private EngineWorld(Path root, Faults faults, Setup setup) {
    this.root = root;
    this.faults = faults;
    this.setup = setup;
    this.storage =
        setup.devices()
            ? FakeStorage.create().with(FakeStorage.Capability.BLOCK_VOLUMES)
            : FakeStorage.create();
    this.kept = new KeptStore(faults);
    this.instances =
        setup.driver().apply(FakeInstances.in(room).program("write", EngineWorld::write));
    this.stapes = open();
  }

  /** With the small image imported. */
  static EngineWorld create(Faults faults, Setup setup) {
    try {
      Path root = Files.createTempDirectory("engine").toRealPath();
      EngineWorld world = new EngineWorld(root, faults, setup);
      world.stapes.images().importFrom(SmallImage.of("fresh"), IMAGE);
      return world;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static EngineWorld create(Setup setup) {
    return create(new Faults(), setup);
  }

  static EngineWorld create() {
    return create(Setup.usual());
  }

  Stapes stapes() {
    return stapes;
  }

  Faults faults() {
    return faults;
  }

  FakeMachineRoom room() {
    return room;
  }

  Path root() {
    return root;
  }

  Instance launch(String name) {
    return stapes.instances().launch(spec(name).build());
  }

  static InstanceSpec.Builder spec(String name) {
    return InstanceSpec.container(name, IMAGE);
  }

  /** Ends the machine of an instance from inside. */
  void end(Instance instance, boolean reboot) {
    room.end(instance.id(), new Machine.Exit("ended by the test", reboot));
  }

  /** The bytes of a disk that a machine has. */
  byte[] disk(Instance instance, String device) {
    Path path = Objects.requireNonNull(room.disks(instance.id()).get(device)).path();
    try {
      if (Files.exists(path)) {
        return Files.readAllBytes(path);
      }
      try (Tree tree = directory(path);
          InputStream in = tree.read(path.getFileName().toString())) {
        return in.readAllBytes();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes to the beginning of a disk that a machine has. */
  void write(Instance instance, String device, String text) {
    byte[] bytes = disk(instance, device);
    byte[] beginning = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(beginning, 0, bytes, 0, beginning.length);
    Path path = Objects.requireNonNull(room.disks(instance.id()).get(device)).path();
    try {
      if (Files.exists(path)) {
        Files.write(path, bytes);
        return;
      }
      try (Tree tree = directory(path);
          OutputStream out = tree.write(path.getFileName().toString(), 0600)) {
        out.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Tree directory(Path file) {
    return host.tree(
        Objects.requireNonNull(file.getParent()), Tree.Resolution.BENEATH, Optional.empty());
  }

  /** Closes the Stapes and opens it anew; what runs goes on meanwhile. */
  Stapes reopen() {
    stapes.close();
    return openAgain();
  }

  /** Opens it anew, where it was closed. */
  Stapes openAgain() {
    stapes = open();
    return stapes;
  }

  /** What is there, found without the engine. */
  EnginePicture picture() {
    return EnginePicture.of(kept, storage, setup.pool(), root, room.running());
  }

  /** How many volumes are attached now. */
  int attached() {
    return host.mounts().below(root).size();
  }

  private Stapes open() {
    StateStoreProvider store = setup.sqlite() ? KeptStore.named("sqlite") : kept;
    return Stapes.builder(root)
        .with(faults.wrap(HostProvider.class, new NewHost()))
        .with(faults.wrap(StorageDriverProvider.class, setup.storage().apply(storage)))
        .with(faults.wrap(InstanceDriverProvider.class, instances))
        .with(store)
        .defaultPool(setup.pool())
        .clock(setup.clock())
        .open();
  }

  private static int write(FakeProgram.Call call) throws Exception {
    try (var files = call.guest().orElseThrow().files();
        var out = files.write("/note", 0644)) {
      out.write(call.arguments().get(1).getBytes(StandardCharsets.UTF_8));
    }
    return 0;
  }

  /** Closes the Stapes, ends what still runs, and removes the root directory. */
  @Override
  public void close() {
    stapes.close();
    room.running().forEach(id -> room.end(id, new Machine.Exit("the world ends", false)));
    try (Stream<Path> all = Files.walk(root)) {
      List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
      for (Path path : deepestFirst) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Each Stapes has a host of its own. */
  private final class NewHost implements HostProvider {
    @Override
    public String name() {
      return "fake";
    }

    @Override
    public Availability probe() {
      return Availability.available();
    }

    @Override
    public Host open() {
      host = FakeHost.create();
      return host;
    }
  }
}
