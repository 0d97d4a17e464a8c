package dev.stapes.storage.fs;

import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * The root directory of a pool that lies on a file system of the machine: somebody's own empty
 * directory, or one in the pool's directory.
 *
 * @param pool whose it is
 * @param path where
 * @param own whether it is in the pool's directory, and goes with the pool
 */
record PlainRoot(PoolContext pool, Path path, boolean own) {
  private static final String DEFAULT = "volumes";

  static PlainRoot of(PoolContext pool) {
    Optional<String> source = pool.spec().config().get(PoolKeys.DIRECTORY_SOURCE);
    return source.isPresent()
        ? new PlainRoot(pool, PoolKeys.absolute(pool, source.get()), false)
        : new PlainRoot(pool, pool.directory().resolve(DEFAULT), true);
  }

  /**
   * Lays out a pool in it and opens that; leaves it as it was where that fails.
   *
   * @throws StapesException CONFLICT where it is not empty
   */
  <T> T create(String driver, Function<PlainRoot, T> opener) {
    if (own) {
      directory(tree -> tree.mkdir(DEFAULT, 0711));
    }
    try {
      requireEmpty();
    } catch (RuntimeException e) {
      Undo.after(e, this::removeOwn);
      throw e;
    }
    try {
      PoolDirectory.layOut(pool.sys(), pool.local(path), driver);
      return opener.apply(this);
    } catch (RuntimeException e) {
      Undo.after(e, () -> PoolDirectory.clear(pool.sys(), pool.local(path)));
      Undo.after(e, this::removeOwn);
      throw e;
    }
  }

  private void requireEmpty() {
    try {
      if (!PoolDirectory.isEmpty(pool.sys(), pool.local(path))) {
        throw pool.failure(Kind.CONFLICT, path + ": not empty");
      }
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.INVALID, pool.subject(), "no directory to use: " + e.getMessage(), e);
    }
  }

  /** Removes the directory where it is the pool's own and empty. */
  void removeOwn() {
    if (own) {
      directory(
          tree -> {
            Optional<FileStat> there = tree.stat(DEFAULT);
            if (there.isPresent() && there.get().kind() == FileKind.DIRECTORY) {
              tree.rmdir(DEFAULT);
            }
          });
    }
  }

  private interface Work {
    void on(FileTree tree);
  }

  private void directory(Work work) {
    try (FileTree tree =
        FileTree.open(pool.sys(), pool.local(pool.directory()), FileTree.Resolution.BENEATH)) {
      work.on(tree);
    }
  }
}
