package dev.stapes.storage.fs;

import dev.stapes.linux.FileSystemType;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.Optional;

/** A directory on somebody's Btrfs. */
final class DirectoryBacking implements Backing {
  private final PoolContext pool;
  private final Path source;

  DirectoryBacking(PoolContext pool, Path source) {
    this.pool = pool;
    this.source = source;
  }

  @Override
  public void format() {
    try {
      if (!PoolDirectory.isEmpty(pool.sys(), pool.local(source))) {
        throw pool.failure(Kind.CONFLICT, source + ": not empty");
      }
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.INVALID, pool.subject(), "no directory to use: " + e.getMessage(), e);
    }
    requireBtrfs(Kind.INVALID);
  }

  @Override
  public Path mount() {
    requireBtrfs(Kind.UNAVAILABLE);
    return source;
  }

  private void requireBtrfs(Kind kind) {
    try {
      FileSystemType type = new Kernel(pool.sys()).fileSystem(pool.local(source)).type();
      if (type != FileSystemType.BTRFS) {
        throw pool.failure(kind, source + ": not on Btrfs but on " + type);
      }
    } catch (LinuxException e) {
      throw new StapesException(kind, pool.subject(), "cannot be used: " + e.getMessage(), e);
    }
  }

  @Override
  public void unmount() {
    // it is not ours
  }

  @Override
  public void remove() {
    // the pool's own directories in it are removed already; the directory is its owner's
  }

  @Override
  public Optional<Resize> resize() {
    return Optional.empty();
  }
}
