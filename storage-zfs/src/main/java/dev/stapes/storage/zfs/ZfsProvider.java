package dev.stapes.storage.zfs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The driver {@code zfs}: volumes are datasets of OpenZFS and their snapshots. A pool is a zpool in
 * a file of its own (the default) or on a block device, or lies in an empty dataset of a zpool that
 * is there already.
 */
public final class ZfsProvider implements StorageDriverProvider {
  static final String NAME = "zfs";

  private final Path machine;
  private final Supplier<Optional<ZfsCalls>> calls;

  /** A provider for this machine. */
  public ZfsProvider() {
    this(Path.of("/"), ZfsCalls::find);
  }

  /**
   * A provider for another machine, which does all by commands.
   *
   * @param machine its root directory, where {@code proc}, {@code sys} and {@code lib/modules} are
   *     looked at
   */
  ZfsProvider(Path machine) {
    this(machine, Optional::empty);
  }

  /**
   * A provider for another machine.
   *
   * @param calls asked for each pool
   */
  ZfsProvider(Path machine, Supplier<Optional<ZfsCalls>> calls) {
    this.machine = machine;
    this.calls = calls;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability probe(Host host) {
    Optional<String> library = Syscalls.unavailable();
    if (library.isPresent()) {
      return Availability.unavailable(library.get(), "run on Linux with glibc");
    }
    if (!host.facts().root()) {
      return Availability.unavailable("not root", "run as root");
    }
    for (String program : List.of("zfs", "zpool")) {
      if (host.programs().find(program).isEmpty()) {
        return Availability.unavailable(
            program + " not found", "install the package zfsutils-linux");
      }
    }
    return new ZfsModule(machine).probe(host);
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return ZfsKeys.ALL;
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    Backing backing = backing(pool);
    backing.make();
    try {
      return opened(pool, backing);
    } catch (RuntimeException e) {
      Undo.after(e, backing::remove);
      throw e;
    }
  }

  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    PoolContext pool = context(host, spec, directory);
    Optional<PoolMark> mark = PoolMark.find(pool);
    if (mark.isPresent()) {
      new Stragglers(pool, mark.get().root()).await();
      backing(pool).sweep();
    }
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    Backing backing = backing(pool);
    new Stragglers(pool, backing.root()).await();
    backing.open();
    try {
      requireMarker(pool, backing);
      return opened(pool, backing);
    } catch (RuntimeException e) {
      Undo.after(e, backing::close);
      throw e;
    }
  }

  private PoolContext context(Host host, PoolSpec spec, Path directory) {
    ZfsKeys.validate("pool " + spec.name(), spec.config());
    return new PoolContext(host, spec, directory, machine, calls.get());
  }

  private static ZfsPool opened(PoolContext pool, Backing backing) {
    ZfsPool opened = new ZfsPool(pool, backing);
    opened.load();
    return opened;
  }

  private static void requireMarker(PoolContext pool, Backing backing) {
    DatasetName root = backing.root();
    List<String> found;
    try {
      found =
          zfs(pool)
              .properties(
                  root.text(), List.of(Backing.MARKER, PoolMark.PROPERTY, Backing.DIRECTORY));
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        throw pool.failure(Kind.UNAVAILABLE, "no pool: no dataset " + root, e);
      }
      throw e;
    }
    if (!found.get(0).equals(Backing.LAYOUT)) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          "no pool in " + root + ": its property " + Backing.MARKER + " is " + found.get(0));
    }
    PoolMark mark = PoolMark.read(pool);
    if (!found.get(1).equals(mark.id())) {
      throw pool.failure(Kind.UNAVAILABLE, "the pool in " + root + " is another one");
    }
    requirePlace(pool, backing, mark, found.get(2));
  }

  /** A directory that was moved is the same pool; a copy of it is not. */
  private static void requirePlace(
      PoolContext pool, Backing backing, PoolMark mark, String remembered) {
    String place = Backing.place(pool);
    if (remembered.equals(place) || !backing.isBoundToDirectory()) {
      return;
    }
    if (!remembered.startsWith("/")) {
      throw pool.failure(
          Kind.UNAVAILABLE, "the pool in " + mark.root() + " is in no directory: " + remembered);
    }
    Path other = Path.of(URI.create("file://" + remembered));
    if (mark.isIn(pool, other)) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          pool.directory()
              + " is a copy: the pool in "
              + mark.root()
              + " is that of "
              + other
              + ", or remove the file \"zpool\" there");
    }
    zfs(pool).set(mark.root(), Backing.DIRECTORY, place);
  }

  private static Zfs zfs(PoolContext pool) {
    return new Zfs(pool);
  }

  /** What the key {@code source} stands for. */
  private static Backing backing(PoolContext pool) {
    Optional<String> source = pool.spec().config().get(ZfsKeys.SOURCE);
    if (source.isEmpty()) {
      return new OwnZpool(pool, new FileVdev(pool), zfs(pool));
    }
    refuse(pool, ZfsKeys.SIZE, source.get());
    if (DeviceVdev.isPath(source.get())) {
      return new OwnZpool(pool, DeviceVdev.of(pool, source.get()), zfs(pool));
    }
    refuse(pool, ZfsKeys.POOL_NAME, source.get());
    return new DatasetBacking(pool, new DatasetName(source.get()), zfs(pool));
  }

  private static void refuse(PoolContext pool, ConfigKey<?> key, String source) {
    if (pool.spec().config().get(key).isPresent()) {
      throw StapesException.invalid(
          pool.subject(), key.name() + " does not go with the source \"" + source + "\"");
    }
  }
}
