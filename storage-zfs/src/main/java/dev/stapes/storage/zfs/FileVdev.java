package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A sparse file in the pool's directory. ZFS reads and writes it itself, without a loop device. */
final class FileVdev implements Vdev {
  /** ZFS refuses less than 64 MiB, and has no room for much in that. */
  private static final Size LEAST = Size.ofMebibytes(128);

  private static final Size USUAL_LEAST = Size.ofGibibytes(5);
  private static final Size USUAL_MOST = Size.ofGibibytes(30);

  private final PoolContext pool;
  private final Path file;

  FileVdev(PoolContext pool) {
    this.pool = pool;
    this.file = pool.directory().resolve("disk.img").toAbsolutePath();
  }

  @Override
  public Path path() {
    return file;
  }

  @Override
  public void prepare() {
    Optional<Size> wanted = pool.spec().config().get(ZfsKeys.SIZE);
    if (wanted.isPresent() && wanted.get().compareTo(LEAST) < 0) {
      throw StapesException.invalid(
          pool.subject(), "size must be at least " + LEAST + ": \"" + wanted.get() + "\"");
    }
    try {
      Size size = wanted.isPresent() ? wanted.get() : usualSize();
      Files.createFile(file);
      lengthen(size);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be made: " + e.getMessage(), e);
    }
  }

  private void lengthen(Size size) throws IOException {
    try {
      length(size);
    } catch (IOException e) {
      UncheckedIOException error =
          new UncheckedIOException(file + ": cannot be made: " + e.getMessage(), e);
      PoolContext.alsoDo(error, this::clear);
      throw error;
    }
  }

  /** Incus's rule: 20 % of what is free, from 5 to 30 GiB, and never more than there is. */
  private Size usualSize() throws IOException {
    long available = Files.getFileStore(pool.directory()).getUsableSpace();
    long bounded = Math.min(Math.max(available / 5, USUAL_LEAST.bytes()), USUAL_MOST.bytes());
    long size = Math.min(bounded, available) & -Size.ofMebibytes(1).bytes();
    if (size < LEAST.bytes()) {
      throw pool.failure(
          Kind.EXHAUSTED,
          "no room for a file: "
              + Size.ofBytes(available).toDisplay()
              + " free in "
              + pool.directory());
    }
    return Size.ofBytes(size);
  }

  private void length(Size size) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(size.bytes());
    }
  }

  @Override
  public void require() {
    if (!Files.isRegularFile(file)) {
      throw pool.failure(Kind.UNAVAILABLE, file + ": the file is gone");
    }
  }

  @Override
  public void clear() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  @Override
  public Optional<Backing.Resize> resize() {
    return Optional.of(this::growTo);
  }

  private void growTo(Size size) {
    try {
      Size before = Size.ofBytes(Files.size(file));
      if (size.compareTo(before) < 0) {
        throw StapesException.invalid(
            pool.subject(), "a pool does not shrink: it has " + before + ", asked for " + size);
      }
      length(size);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot grow: " + e.getMessage(), e);
    }
  }
}
