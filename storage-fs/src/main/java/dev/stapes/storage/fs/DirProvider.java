package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/**
 * The driver {@code dir}: volumes are plain directories on whatever file system there is. A copy is
 * made file by file, with shared blocks where the file system can (Btrfs, XFS).
 */
public final class DirProvider implements StorageDriverProvider {
  static final String NAME = "dir";

  private static final List<ConfigKey<?>> KEYS = List.of(PoolKeys.DIRECTORY_SOURCE);

  private final Supplier<Syscalls> sys;

  /** A provider for this machine. */
  public DirProvider() {
    this(Syscalls::system);
  }

  /** A provider over other system calls. */
  DirProvider(Supplier<Syscalls> sys) {
    this.sys = sys;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability probe(Host host) {
    return Probes.rootOnLinux(host);
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return KEYS;
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, KEYS);
    PoolContext pool = new PoolContext(host, sys.get(), spec, directory);
    return PlainRoot.of(pool).create(NAME, root -> open(pool, root));
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, KEYS);
    PoolContext pool = new PoolContext(host, sys.get(), spec, directory);
    return Failures.naming(
        pool.subject(), "cannot be opened", () -> open(pool, PlainRoot.of(pool)));
  }

  private static StoragePool open(PoolContext pool, PlainRoot root) {
    PoolDirectory directory =
        PoolDirectory.open(pool.sys(), pool.local(root.path()), root.path(), NAME, pool.subject());
    return new DirPool(pool, root, directory);
  }
}
