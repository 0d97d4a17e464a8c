package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import java.util.List;
import java.util.function.Supplier;

/**
 * The driver {@code dir}: volumes are plain directories on whatever file system there is. A copy is
 * made file by file, with shared blocks where the file system can (Btrfs, XFS).
 */
public final class DirProvider extends FileProvider {
  static final String NAME = "dir";

  /** A provider for this machine. */
  public DirProvider() {
    this(Syscalls::system);
  }

  /** A provider over other system calls. */
  DirProvider(Supplier<Syscalls> sys) {
    super(NAME, List.of(PoolKeys.DIRECTORY_SOURCE), sys);
  }

  @Override
  Availability probeKernel(Host host) {
    return Availability.available();
  }

  @Override
  StoragePool create(PoolContext pool) {
    return PlainRoot.of(pool).create(NAME, root -> open(pool, root));
  }

  @Override
  StoragePool open(PoolContext pool) {
    return open(pool, PlainRoot.of(pool));
  }

  private StoragePool open(PoolContext pool, PlainRoot root) {
    return new DirPool(pool, root, volumes(pool, root.path()));
  }
}
