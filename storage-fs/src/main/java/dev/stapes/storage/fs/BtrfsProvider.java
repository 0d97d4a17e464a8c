package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The driver {@code btrfs}: volumes are subvolumes, copies are snapshots. A pool is a loop file of
 * its own (the default), a block device, or an empty directory on a Btrfs that is there already.
 */
public final class BtrfsProvider implements StorageDriverProvider {
  static final String NAME = "btrfs";

  private static final List<ConfigKey<?>> KEYS =
      List.of(PoolKeys.BLOCK_SOURCE, PoolKeys.SIZE, PoolKeys.MOUNT_OPTIONS);

  private final Supplier<Syscalls> sys;

  /** A provider for this machine. */
  public BtrfsProvider() {
    this(Syscalls::system);
  }

  /** A provider over other system calls. */
  BtrfsProvider(Supplier<Syscalls> sys) {
    this.sys = sys;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability probe(Host host) {
    Availability basics = Probes.rootOnLinux(host);
    if (basics instanceof Availability.Unavailable) {
      return basics;
    }
    if (!KernelFileSystems.has("btrfs", host.facts().kernel())) {
      return Availability.unavailable(
          "the kernel has no Btrfs", "use a kernel with CONFIG_BTRFS_FS, or the dir driver");
    }
    if (host.programs().find("mkfs.btrfs").isEmpty()) {
      return Availability.unavailable("mkfs.btrfs not found", "install the package btrfs-progs");
    }
    return Availability.available();
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return KEYS;
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, KEYS);
    PoolContext pool = new PoolContext(host, sys.get(), spec, directory);
    return Failures.naming(pool.subject(), "cannot be made", () -> create(pool));
  }

  private static StoragePool create(PoolContext pool) {
    Backing backing = backing(pool);
    backing.format();
    try {
      Path root = backing.mount();
      PoolDirectory.layOut(pool.sys(), pool.local(root), NAME);
      return open(pool, backing, root);
    } catch (RuntimeException e) {
      Failures.alsoDo(e, backing::unmount);
      Failures.alsoDo(e, backing::remove);
      throw e;
    }
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, KEYS);
    PoolContext pool = new PoolContext(host, sys.get(), spec, directory);
    return Failures.naming(
        pool.subject(),
        "cannot be opened",
        () -> {
          Backing backing = backing(pool);
          Path root = backing.mount();
          try {
            return open(pool, backing, root);
          } catch (RuntimeException e) {
            Failures.alsoDo(e, backing::unmount);
            throw e;
          }
        });
  }

  private static StoragePool open(PoolContext pool, Backing backing, Path root) {
    PoolDirectory directory =
        PoolDirectory.open(pool.sys(), pool.local(root), root, NAME, pool.subject());
    BtrfsPool opened = new BtrfsPool(pool, backing, root, directory);
    if (backing.hasGrown()) {
      opened.fillDevice();
    }
    return opened;
  }

  /** What the key {@code source} stands for. */
  private static Backing backing(PoolContext pool) {
    Optional<String> source = pool.spec().config().get(PoolKeys.BLOCK_SOURCE);
    if (source.isEmpty()) {
      return new LoopBacking(pool);
    }
    Path path = PoolKeys.absolute(pool, source.get());
    if (pool.spec().config().get(PoolKeys.SIZE).isPresent()) {
      throw StapesException.invalid(
          pool.subject(), "size is for a loop file, but the source is \"" + path + "\"");
    }
    // What does not exist (any more) is told apart by its name, so that the error fits.
    boolean device = path.startsWith("/dev") && !Files.isDirectory(path);
    return device ? new DeviceBacking(pool, path) : new DirectoryBacking(pool, path);
  }
}
