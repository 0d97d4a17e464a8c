package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.DurableFile;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A storage driver that keeps its volumes in memory and needs no privilege. It passes the contract
 * of storage drivers; each of its capabilities can be switched off.
 *
 * <p>This object is the disk: a pool that is closed can be opened again through it, with all its
 * volumes. In the pool's directory stands nothing but a marker, and which source it has. It works
 * with {@link FakeHost} alone, in whose mount table it attaches its volumes.
 */
public final class FakeStorage implements StorageDriverProvider {
  private static final String MARKER = "fake-pool";
  private static final String MARK = "fake-source";
  private static final ConfigKey<Size> SIZE =
      ConfigKey.of("size", ConfigType.SIZE, "1GiB", false, "Space of the pool");
  private static final ConfigKey<String> SOURCE =
      ConfigKey.of("source", ConfigType.STRING, false, "An empty directory for the marker");

  private final String name;
  private final Set<Capability> capabilities;
  private final Map<Path, FakeDisk> disks = new ConcurrentHashMap<>();

  /** What a pool may be able to do. */
  public enum Capability {
    /** Limits how much data a volume may hold. */
    QUOTAS,
    /** Turns volumes into streams. */
    SEND_RECEIVE,
    /** Streams that go on where they broke. */
    RESUMABLE,
    /** Makes the pool larger. */
    GROWABLE,
    /** Volumes that live in memory. */
    SCRATCH,
    /** Volumes that are block devices. */
    BLOCK_VOLUMES,
    /** Attaches volumes with their owners mapped, so that the instance driver need not do it. */
    MAPS_OWNERS
  }

  private FakeStorage(String name, Set<Capability> capabilities) {
    this.name = name;
    this.capabilities = capabilities;
  }

  /** A driver called {@code fake} that can do all but block volumes and mapping owners itself. */
  public static FakeStorage create() {
    return new FakeStorage(
        "fake", EnumSet.complementOf(EnumSet.of(Capability.MAPS_OWNERS, Capability.BLOCK_VOLUMES)));
  }

  /** The same under another name, with an empty disk. */
  public FakeStorage named(String other) {
    return new FakeStorage(other, capabilities);
  }

  /** The same with a capability less, with an empty disk. */
  public FakeStorage without(Capability capability) {
    EnumSet<Capability> fewer = EnumSet.copyOf(capabilities);
    fewer.remove(capability);
    return new FakeStorage(name, fewer);
  }

  /** The same with a capability more, with an empty disk. */
  public FakeStorage with(Capability capability) {
    EnumSet<Capability> more = EnumSet.of(capability);
    more.addAll(capabilities);
    return new FakeStorage(name, more);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Availability probe(Host host) {
    return FaultyCall.unwrapped(host) instanceof FakeHost
        ? Availability.available()
        : Availability.unavailable("not a fake host", "open a FakeHost");
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return List.of(SIZE, SOURCE);
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    FakeHost fake = fake(host);
    Size size = spec.config().get(SIZE).orElseThrow();
    Path place = place(spec, directory);
    if (!Files.isDirectory(place)) {
      throw new StapesException(NOT_FOUND, "pool " + spec.name(), "no such directory: " + place);
    }
    if (!isEmpty(place)) {
      throw new StapesException(CONFLICT, "pool " + spec.name(), "not empty: " + place);
    }
    if (!place.equals(directory)) {
      DurableFile.write(directory.resolve(MARK), place + "\n");
    }
    try {
      Files.createFile(place.resolve(MARKER));
    } catch (IOException e) {
      throw new StapesException(INTERNAL, "pool " + spec.name(), "cannot be made: " + place, e);
    }
    FakeDisk disk = new FakeDisk(size);
    disks.put(place, disk);
    return new FakePool(host, fake, this, spec, place, disk);
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    FakeHost fake = fake(host);
    Path place = place(spec, directory);
    FakeDisk disk = disks.get(place);
    if (disk == null || !Files.exists(place.resolve(MARKER))) {
      throw new StapesException(UNAVAILABLE, "pool " + spec.name(), "no fake pool: " + place);
    }
    return new FakePool(host, fake, this, spec, place, disk);
  }

  /** Its mark says that it found the source empty, or that it came no further. */
  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    Path place = place(spec, directory);
    if (what == Unfinished.REMOVAL || Files.exists(directory.resolve(MARK))) {
      destroy(spec, place);
      DurableFile.delete(directory.resolve(MARK));
    }
  }

  boolean can(Capability capability) {
    return capabilities.contains(capability);
  }

  void destroy(PoolSpec spec, Path place) {
    disks.remove(place);
    try {
      new FakeBlocks(place).destroy();
      Files.deleteIfExists(place.resolve(MARKER));
    } catch (IOException e) {
      throw new StapesException(INTERNAL, "pool " + spec.name(), "cannot be removed: " + place, e);
    }
  }

  private FakeHost fake(Host host) {
    if (FaultyCall.unwrapped(host) instanceof FakeHost fake) {
      return fake;
    }
    throw new StapesException(UNAVAILABLE, name + " driver", "needs a FakeHost");
  }

  private static Path place(PoolSpec spec, Path directory) {
    Path place = spec.config().get(SOURCE).map(Path::of).orElse(directory);
    if (!place.isAbsolute()) {
      throw new StapesException(
          INVALID, "pool " + spec.name(), "source must be absolute: \"" + place + "\"");
    }
    return place.normalize();
  }

  private static boolean isEmpty(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.findAny().isEmpty();
    } catch (IOException e) {
      throw new StapesException(INTERNAL, "directory " + directory, "cannot be read", e);
    }
  }
}
