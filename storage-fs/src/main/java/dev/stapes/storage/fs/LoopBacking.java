package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.FileFlags;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.host.LoopFileSize;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A sparse file with a loop device over it. The device goes by itself with its last mount, also
 * when the JVM is killed; a machine that survives keeps it, and the next open finds and shares it.
 */
final class LoopBacking implements Backing {
  /** mkfs.btrfs refuses less than about 109 MiB. */
  private static final Size LEAST = Size.ofMebibytes(128);

  private final PoolContext pool;
  private final Path file;
  private final BlockMount mount;

  LoopBacking(PoolContext pool) {
    this.pool = pool;
    this.file = pool.directory().resolve("disk.img");
    this.mount = new BlockMount(pool);
  }

  @Override
  public void format() {
    Optional<Size> wanted = pool.spec().config().get(PoolKeys.SIZE);
    Size size = LoopFileSize.of(pool.sys(), pool.subject(), pool.directory(), wanted, LEAST);
    Fd made =
        Fd.open(
            pool.sys(),
            file,
            Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE));
    try (made) {
      new FileFlags(pool.sys()).noCopyOnWriteIfPossible(made);
      made.truncate(size.bytes());
      mount.format(file);
      mount.prepare();
    } catch (RuntimeException e) {
      Undo.after(e, this::remove);
      throw e;
    }
  }

  @Override
  public Path mount() {
    try (Fd backing = open()) {
      mount.requireFileSystem(file, backing, backing.stat().size());
      awaitLock(backing);
      try (LoopDevice device = attached()) {
        return mount.mount(device.path());
      }
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, pool.subject(), "cannot be attached: " + e.getMessage(), e);
    }
  }

  /**
   * With direct I/O blocks are not cached twice. Without write barriers nothing waits for the disk
   * but direct I/O itself, so they go with the page cache.
   */
  private LoopDevice attached() {
    return LoopDevice.of(pool.sys(), file, mount.hasBarriers());
  }

  private Fd open() {
    try {
      return mount.open(file);
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT)) {
        throw mount.unavailable(file + ": the loop file is gone");
      }
      throw e;
    }
  }

  /** Two processes that attach one file at once would make two devices of it. */
  private void awaitLock(Fd backing) {
    int result;
    do {
      result = pool.sys().libc().flock(backing.number(), Constants.LOCK_EX);
    } while (pool.sys().interrupted(result));
    pool.sys().check(result, "flock", file);
  }

  @Override
  public void unmount() {
    mount.unmount();
  }

  @Override
  public void remove() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be removed: " + e.getMessage(), e);
    }
    mount.remove();
  }

  @Override
  public Optional<Resize> resize() {
    return Optional.of(this::growTo);
  }

  private void growTo(Size size) {
    try (Fd backing = Fd.open(pool.sys(), file, Set.of(OpenFlag.READ, OpenFlag.WRITE));
        LoopDevice device = attached()) {
      long before = backing.stat().size();
      if (size.bytes() < before) {
        throw StapesException.invalid(
            pool.subject(),
            "a pool does not shrink: it has " + Size.ofBytes(before) + ", asked for " + size);
      }
      backing.truncate(size.bytes());
      device.refreshSize();
    }
  }
}
