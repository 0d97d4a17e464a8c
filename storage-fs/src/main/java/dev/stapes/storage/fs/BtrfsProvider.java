package dev.stapes.storage.fs;

import dev.stapes.linux.KernelVersion;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The driver {@code btrfs}: volumes are subvolumes, copies are snapshots. A pool is a loop file of
 * its own (the default), a block device, or an empty directory on a Btrfs that is there already.
 */
public final class BtrfsProvider extends FileProvider {
  static final String NAME = "btrfs";

  private static final List<ConfigKey<?>> KEYS =
      List.of(PoolKeys.BLOCK_SOURCE, PoolKeys.SIZE, PoolKeys.MOUNT_OPTIONS);

  /** A provider for this machine. */
  public BtrfsProvider() {
    this(Syscalls::system);
  }

  /** A provider over other system calls. */
  BtrfsProvider(Supplier<Syscalls> sys) {
    super(NAME, KEYS, sys);
  }

  @Override
  Availability probeKernel(Host host) {
    if (!KernelFileSystems.has("btrfs", host.facts().kernel())) {
      return Availability.unavailable(
          "the kernel has no Btrfs", "use a kernel with CONFIG_BTRFS_FS, or the dir driver");
    }
    String kernel = host.facts().kernel();
    if (!KernelVersion.parse(kernel).isAtLeast(5, 15)) {
      return Availability.unavailable(
          "Linux " + kernel + " cannot map the owners of files on Btrfs",
          "use Linux 5.15 or newer, or the dir driver");
    }
    if (host.programs().find("mkfs.btrfs").isEmpty()) {
      return Availability.unavailable("mkfs.btrfs not found", "install the package btrfs-progs");
    }
    return Availability.available();
  }

  @Override
  StoragePool create(PoolContext pool) {
    Backing backing = backing(pool);
    backing.format();
    try {
      Path root = backing.mount();
      PoolDirectory.layOut(pool.sys(), pool.local(root), NAME);
      return open(pool, backing, root);
    } catch (RuntimeException e) {
      Undo.after(e, backing::unmount);
      Undo.after(e, backing::remove);
      throw e;
    }
  }

  @Override
  StoragePool open(PoolContext pool) {
    Backing backing = backing(pool);
    Path root = backing.mount();
    try {
      return open(pool, backing, root);
    } catch (RuntimeException e) {
      Undo.after(e, backing::unmount);
      throw e;
    }
  }

  private StoragePool open(PoolContext pool, Backing backing, Path root) {
    PoolDirectory directory = volumes(pool, root);
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
