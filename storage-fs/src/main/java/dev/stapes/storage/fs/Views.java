package dev.stapes.storage.fs;

import dev.stapes.spi.Mounts;
import dev.stapes.spi.Undo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Mount points of a pool in the host's mount namespace. They lie on a small tmpfs of its own, which
 * is mounted when the first one is needed: so none is left on the disk, whatever happens.
 */
final class Views implements AutoCloseable {
  private static final String TYPE = "tmpfs";
  private static final String SOURCE = "stapes-views";

  private final PoolContext pool;
  private final Path base;
  private final AtomicLong last = new AtomicLong();
  private @Nullable Path mounted;

  Views(PoolContext pool) {
    this.pool = pool;
    this.base = pool.directory().resolve("views");
  }

  /** Makes an empty directory. */
  Path make() {
    Path directory = base().resolve(Long.toString(last.incrementAndGet(), Character.MAX_RADIX));
    try {
      Files.createDirectory(pool.local(directory));
    } catch (IOException e) {
      throw new UncheckedIOException(directory + ": cannot be made: " + e.getMessage(), e);
    }
    return directory;
  }

  /** Makes a directory and mounts something on it. */
  Path make(Consumer<Path> mount) {
    Path directory = make();
    try {
      mount.accept(directory);
      return directory;
    } catch (RuntimeException e) {
      Undo.after(e, () -> delete(directory));
      throw e;
    }
  }

  /** Shows a directory that cannot be written through. */
  Path readOnly(Path source) {
    return make(target -> pool.host().mounts().bind(source, target, Set.of(Mounts.Flag.READ_ONLY)));
  }

  /** Unmounts what is on a directory, and removes it. */
  void drop(Path directory) {
    pool.host().mounts().unmount(directory);
    delete(directory);
  }

  /** The same, or nothing where the whole of this was closed before. */
  void dropIfThere(Path directory) {
    dropIfThere(directory, true);
  }

  /**
   * The same.
   *
   * @param isMounted whether there is something to unmount
   */
  synchronized void dropIfThere(Path directory, boolean isMounted) {
    if (mounted != null && Files.exists(pool.local(directory))) {
      if (isMounted) {
        pool.host().mounts().unmount(directory);
      }
      delete(directory);
    }
  }

  /** Removes an empty directory. */
  void delete(Path directory) {
    try {
      Files.deleteIfExists(pool.local(directory));
    } catch (IOException e) {
      throw new UncheckedIOException(directory + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  private synchronized Path base() {
    Path at = mounted;
    if (at == null) {
      try {
        if (!Files.isDirectory(base)) {
          Files.createDirectory(base);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(base + ": cannot be made: " + e.getMessage(), e);
      }
      Set<Mounts.Flag> flags = Set.of(Mounts.Flag.NODEV);
      // Where a process was killed its monitors keep what it had mounted for others, too.
      pool.host().mounts().detachAbandoned(base, TYPE, SOURCE);
      pool.host().mounts().mount(SOURCE, base, TYPE, flags, "size=1m,mode=0711");
      at = base;
      mounted = at;
    }
    return at;
  }

  /** Detaches everything that is mounted here; machines that use it keep it. */
  @Override
  public synchronized void close() {
    if (mounted != null) {
      mounted = null;
      pool.host().mounts().unmount(base);
    }
  }

  /** Removes the directory on the disk that they hung on. */
  void remove() {
    close();
    try {
      Files.deleteIfExists(base);
    } catch (IOException e) {
      throw new UncheckedIOException(base + ": cannot be removed: " + e.getMessage(), e);
    }
  }
}
