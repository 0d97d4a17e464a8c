package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.DurableFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a pool is about to make, or has: it stands in a file of the pool's directory before ZFS is
 * told, and what ZFS makes bears the number from its first moment. So nobody takes for this pool's
 * what is another one's.
 *
 * @param root the pool's own dataset
 * @param id random
 * @param destroyed whether its zpool is about to be destroyed or was, and what it was made on has
 *     to be cleared yet; one that was not destroyed after all is a pool like any other
 */
record PoolMark(DatasetName root, String id, boolean destroyed) {
  /** The property that has the number. */
  static final String PROPERTY = "dev.stapes:id";

  private static final Pattern FORM =
      Pattern.compile("stapes-zfs 1 (\\S+) ([0-9a-f-]{36})( destroyed)?\n");

  /** Of a pool that is about to be made. */
  static PoolMark fresh(DatasetName root) {
    return new PoolMark(root, UUID.randomUUID().toString(), false);
  }

  private static Path file(Path directory) {
    return directory.resolve("zpool");
  }

  /**
   * Writes it.
   *
   * @throws StapesException CONFLICT where the directory has one: it is a pool
   */
  void write(PoolContext pool) {
    if (Files.exists(file(pool.directory()))) {
      throw pool.failure(Kind.CONFLICT, "there is a pool in " + pool.directory());
    }
    replace(pool);
  }

  private void replace(PoolContext pool) {
    String text = "stapes-zfs 1 " + root + " " + id + (destroyed ? " destroyed" : "") + "\n";
    DurableFile.write(file(pool.directory()), text);
  }

  /**
   * Writes down, before its zpool is destroyed, that what it was made on is ours.
   *
   * @throws StapesException EXHAUSTED where there is no room for it
   */
  void writeDestroyed(PoolContext pool) {
    new PoolMark(root, id, true).replace(pool);
  }

  /** The one of a pool that was made. */
  static PoolMark read(PoolContext pool) {
    return find(pool)
        .orElseThrow(() -> pool.failure(Kind.UNAVAILABLE, "no pool in " + pool.directory()));
  }

  /**
   * The one in the pool's directory, if there is one.
   *
   * @throws StapesException UNAVAILABLE where it cannot be read
   */
  static Optional<PoolMark> find(PoolContext pool) {
    return find(pool, pool.directory());
  }

  private static Optional<PoolMark> find(PoolContext pool, Path directory) {
    Path file = file(directory);
    try {
      Matcher matcher = FORM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
      if (!matcher.matches() || !DatasetName.isName(matcher.group(1))) {
        throw pool.failure(Kind.UNAVAILABLE, file + ": says not what pool it is");
      }
      DatasetName root = new DatasetName(matcher.group(1));
      return Optional.of(new PoolMark(root, matcher.group(2), matcher.group(3) != null));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw pool.failure(Kind.UNAVAILABLE, file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether another directory has it too: then one of them is a copy. */
  boolean isIn(PoolContext pool, Path directory) {
    try {
      return find(pool, directory)
          .filter(other -> other.root().equals(root) && other.id().equals(id))
          .isPresent();
    } catch (StapesException e) {
      return false;
    }
  }

  /** Removes it, when nothing of the pool is left. */
  static void delete(PoolContext pool) {
    DurableFile.delete(file(pool.directory()));
  }
}
