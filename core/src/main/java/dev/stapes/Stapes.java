package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.internal.store.SqliteStateStoreProvider;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.SnapshotGroup;
import dev.stapes.model.SnapshotGroupInfo;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.DecoderProvider;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Provider;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.spi.StorageDriverProvider;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A container and virtual-machine manager in a directory. What an Incus daemon does for a machine,
 * an open {@code Stapes} does for the program that embeds it.
 *
 * <p>Everything it keeps is below its root directory: state, images, pools. Closing it leaves
 * instances running, and the next open finds them, whatever happened to the JVM in between; only
 * throwaway instances die with it. One process at a time has a root directory open.
 *
 * <p>All methods of it and of what it gives may be called from any thread. Errors are {@link
 * StapesException}s.
 */
public final class Stapes implements AutoCloseable {
  private final Engine engine;

  private Stapes(Engine engine) {
    this.engine = engine;
  }

  /**
   * Opens a root directory with the drivers that are on the class path, making it where it does not
   * exist. What a crash left is repaired first; a default storage pool is made where there is none.
   *
   * @throws StapesException UNAVAILABLE where another process has it open, its state is damaged, or
   *     the host lacks what is needed, naming it
   */
  public static Stapes open(Path root) {
    return builder(root).open();
  }

  /** Collects options. */
  public static Builder builder(Path root) {
    return new Builder(root);
  }

  /** What is open here. */
  Engine engine() {
    return engine;
  }

  /** The instances. */
  public Instances instances() {
    return new Instances(engine);
  }

  /** The images. */
  public Images images() {
    return new Images(engine);
  }

  /** The storage pools. */
  public Pools pools() {
    return new Pools(engine);
  }

  /**
   * Makes snapshots of several instances and custom volumes as of one moment, all of them or none.
   * Running instances that write to them stand still while the copies are made: for a few
   * milliseconds where the pools copy on write.
   *
   * @throws StapesException INVALID where the group has no members; CONFLICT where one of them has
   *     a snapshot of that name; NOT_FOUND; UNSUPPORTED where an instance is a throwaway one
   */
  public SnapshotGroupInfo snapshot(SnapshotGroup group) {
    return engine.snapshotGroups().create(group);
  }

  /** Snapshots that are made by schedules. */
  public SnapshotSchedules snapshotSchedules() {
    return new SnapshotSchedules(engine);
  }

  /** Operations that run, and those that ran lately. */
  public Operations operations() {
    return new Operations(engine);
  }

  /** What happens. */
  public Events events() {
    return new Events(engine);
  }

  /** Whether instances of a type can run here, and if not, what is missing and how to mend it. */
  public Availability probe(InstanceType type) {
    return engine.probe(type);
  }

  /**
   * Cancels the operations that other threads run, as {@link Operations#cancel} does, and waits
   * until they have rolled back; from then on others are UNAVAILABLE. Ends throwaway instances,
   * lets go of all others, which go on, and waits for work that was begun behind the callers. An
   * operation that does not end is waited for two minutes. An interrupt is kept for afterwards.
   * Idempotent: a second close waits for the first.
   *
   * @throws StapesException CONFLICT where it is called from within an operation, such as by its
   *     {@link dev.stapes.model.Progress}
   */
  @Override
  public void close() {
    engine.close();
  }

  /**
   * The options of an open. Providers that are given here win over those that are found on the
   * class path: of the same name, and for instance drivers of the same type.
   */
  public static final class Builder {
    private final Path root;
    private final List<InstanceDriverProvider> instanceDrivers = new ArrayList<>();
    private final List<StorageDriverProvider> storageDrivers = new ArrayList<>();
    private final List<DecoderProvider> decoders = new ArrayList<>();
    private Optional<HostProvider> host = Optional.empty();
    private StateStoreProvider store = new SqliteStateStoreProvider();
    private Optional<PoolSpec> defaultPool = Optional.empty();
    private Clock clock = Clock.systemUTC();

    private Builder(Path root) {
      this.root = root;
    }

    /** The machine; default: the one on the class path. */
    public Builder with(HostProvider provider) {
      host = Optional.of(provider);
      return this;
    }

    /** An instance driver. */
    public Builder with(InstanceDriverProvider provider) {
      instanceDrivers.add(provider);
      return this;
    }

    /** A storage driver. */
    public Builder with(StorageDriverProvider provider) {
      storageDrivers.add(provider);
      return this;
    }

    /**
     * Decodes archives, where it is available; asked before those on the class path. Java decodes
     * what none of them does.
     */
    public Builder with(DecoderProvider provider) {
      decoders.add(provider);
      return this;
    }

    /** Where state is kept; default: SQLite, one file in the root directory. */
    public Builder with(StateStoreProvider provider) {
      store = provider;
      return this;
    }

    /**
     * The pool that is made where the root directory has none of this name, and that root disks go
     * to; default: {@code default}, Btrfs in a loop file, or {@code dir} where Btrfs is missing.
     */
    public Builder defaultPool(PoolSpec spec) {
      defaultPool = Optional.of(spec);
      return this;
    }

    /** The clock of all timestamps; default: the system's. */
    public Builder clock(Clock source) {
      clock = source;
      return this;
    }

    /** Opens. See {@link Stapes#open}. */
    public Stapes open() {
      return new Stapes(
          Engine.open(
              new Engine.Options(
                  root,
                  host.orElseGet(Builder::onlyHost),
                  store,
                  chosenInstanceDrivers(),
                  merged(storageDrivers, StorageDriverProvider.class),
                  chosenDecoders(),
                  defaultPool,
                  clock)));
    }

    /** One that is given is the one for its type, whatever else is found. */
    private List<InstanceDriverProvider> chosenInstanceDrivers() {
      Set<InstanceType> given =
          instanceDrivers.stream().map(InstanceDriverProvider::type).collect(Collectors.toSet());
      return merged(instanceDrivers, InstanceDriverProvider.class).stream()
          .filter(driver -> instanceDrivers.contains(driver) || !given.contains(driver.type()))
          .toList();
    }

    private List<DecoderProvider> chosenDecoders() {
      List<DecoderProvider> all = new ArrayList<>(decoders);
      merged(decoders, DecoderProvider.class).stream()
          .filter(provider -> !decoders.contains(provider))
          .forEach(all::add);
      return all;
    }

    private static HostProvider onlyHost() {
      List<HostProvider> found = merged(List.of(), HostProvider.class);
      if (found.isEmpty()) {
        throw new StapesException(
            StapesException.Kind.UNAVAILABLE,
            "host",
            "no provider found: add the artifact stapes-linux-binding");
      }
      if (found.size() > 1) {
        throw new StapesException(
            StapesException.Kind.CONFLICT,
            "host",
            "choose one of " + found.stream().map(Provider::name).toList());
      }
      return found.get(0);
    }

    private static <P extends Provider> List<P> merged(List<P> given, Class<P> type) {
      Map<String, P> found = new LinkedHashMap<>();
      for (P provider : ServiceLoader.load(type, Stapes.class.getClassLoader())) {
        P other = found.putIfAbsent(provider.name(), provider);
        if (other != null) {
          throw new StapesException(
              StapesException.Kind.CONFLICT,
              type.getSimpleName() + " " + provider.name(),
              "found twice: " + other.getClass() + " and " + provider.getClass());
        }
      }
      given.forEach(provider -> found.put(provider.name(), provider));
      return List.copyOf(found.values());
    }
  }
}
