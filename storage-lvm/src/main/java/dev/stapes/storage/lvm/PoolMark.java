package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.DurableFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The small file in a pool's directory that says which logical volume of LVM bears its mark: a thin
 * pool, or a small one among plain volumes. It is there before that is, and until that is gone. A
 * tag of that says in which directory it is: a copy of the directory is another one.
 */
final class PoolMark {
  private static final Pattern FORM =
      Pattern.compile("stapes-lvm 1 (stapes_[0-9a-f]{32})(?: (stapes_[0-9a-f]{32}))?\n");

  private final PoolContext pool;
  private final Path file;

  PoolMark(PoolContext pool) {
    this.pool = pool;
    this.file = file(pool.directory());
  }

  private static Path file(Path directory) {
    return directory.resolve("thin-pool");
  }

  /** Writes it. */
  void write(String mark) {
    DurableFile.write(file, "stapes-lvm 1 " + mark + "\n");
  }

  /**
   * The same of a pool that machines share.
   *
   * @param owner see {@link Sharer}
   */
  void write(String mark, String owner) {
    write(mark + " " + owner);
  }

  /**
   * Reads it.
   *
   * @throws StapesException UNAVAILABLE where there is none
   */
  String read() {
    return find()
        .orElseThrow(
            () ->
                pool.failure(
                    Kind.UNAVAILABLE,
                    "no pool in " + pool.directory() + ": " + file + " is missing"));
  }

  /**
   * The mark, if any.
   *
   * @throws StapesException UNAVAILABLE where the file is something else
   */
  Optional<String> find() {
    return find(file);
  }

  /**
   * The name of the directory where machines share the pool.
   *
   * @throws StapesException UNAVAILABLE where there is none
   */
  String owner() {
    return match(file)
        .flatMap(matcher -> Optional.ofNullable(matcher.group(2)))
        .orElseThrow(() -> pool.failure(Kind.UNAVAILABLE, file + ": names no owner of volumes"));
  }

  private Optional<String> find(Path file) {
    return match(file).map(matcher -> matcher.group(1));
  }

  private Optional<Matcher> match(Path file) {
    try {
      Matcher matcher = FORM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
      if (!matcher.matches()) {
        throw pool.failure(Kind.UNAVAILABLE, file + ": names no pool of LVM");
      }
      return Optional.of(matcher);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw pool.failure(Kind.UNAVAILABLE, file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Looks whether the directory is the one that the pool is in. One that was moved has taken its
   * mark along: then it is in the new one from now on, as where nobody knows.
   *
   * @throws StapesException UNAVAILABLE in a copy, whose volumes are those of the original
   */
  void requireOriginal(String mark, PoolContent content) {
    Placement here = content.pool().placed(absolute(pool.directory()));
    Optional<Placement> remembered = content.placement();
    if (remembered.equals(Optional.of(here))) {
      return;
    }
    Optional<Path> original = elsewhere(mark, content);
    if (original.isPresent()) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          pool.directory()
              + " is a copy, and its volumes are those of "
              + original.get()
              + ": if that is not needed, remove the file "
              + file(original.get()));
    }
    content.pool().place(remembered, here);
  }

  /** The directory of this machine that has a pool already, and is not this one; empty: none. */
  Optional<Path> elsewhere(String mark, PoolContent content) {
    return content.directory().filter(other -> isElsewhere(mark, other));
  }

  /** Another path may lead to the same directory. */
  private boolean isElsewhere(String mark, Path other) {
    try {
      return !Files.isSameFile(other, pool.directory())
          && find(file(other)).equals(Optional.of(mark));
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw pool.failure(Kind.UNAVAILABLE, other + ": cannot be read: " + e.getMessage(), e);
    }
  }

  static Path absolute(Path directory) {
    return directory.toAbsolutePath().normalize();
  }

  /** Says of a new pool where it is. */
  void place(PoolVolumes volumes) {
    volumes.place(Optional.empty(), volumes.placed(absolute(pool.directory())));
  }

  /** Removes it. */
  void delete() {
    DurableFile.delete(file);
    DurableFile.delete(pool.directory().resolve("thin-pool.inode")); // of pools made before 0.1
  }
}
