package dev.stapes.storage.zfs;

import dev.stapes.linux.block.LoopFile;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** A sparse file in the pool's directory. ZFS reads and writes it itself, without a loop device. */
final class FileVdev implements Vdev {
  /** ZFS refuses less than 64 MiB, and has no room for much in that. */
  private static final Size LEAST = Size.ofMebibytes(128);

  /** What ZFS may want to write at any time. */
  private static final Size RESERVE = Size.ofMebibytes(32);

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
  public void check() {
    Optional<Size> wanted = pool.spec().config().get(ZfsKeys.SIZE);
    if (wanted.isPresent() && wanted.get().compareTo(LEAST) < 0) {
      throw StapesException.invalid(
          pool.subject(), "size must be at least " + LEAST + ": \"" + wanted.get() + "\"");
    }
    wantedSize(); // refuses a disk that is full
    if (Files.exists(file)) {
      throw pool.failure(Kind.CONFLICT, file + ": is there already");
    }
  }

  private Size wantedSize() {
    Optional<Size> wanted = pool.spec().config().get(ZfsKeys.SIZE);
    try {
      return wanted.isPresent() ? wanted.get() : usualSize();
    } catch (IOException e) {
      throw pool.failed(e, file + ": cannot be made");
    }
  }

  @Override
  public void prepare() {
    try {
      Files.createFile(file);
      length(wantedSize());
    } catch (IOException e) {
      throw pool.failed(e, file + ": cannot be made");
    }
  }

  @Override
  public boolean isInDirectory() {
    return true;
  }

  @Override
  public boolean isPartOf(Path part) {
    try {
      return Files.isSameFile(part, file);
    } catch (IOException e) {
      return false;
    }
  }

  /** Where nothing is left, ZFS cannot even free: it stops, with all that use it. */
  @Override
  public void requireRoom() {
    try {
      long free = Files.getFileStore(file).getUsableSpace();
      if (free < RESERVE.bytes()) {
        throw pool.failure(
            Kind.EXHAUSTED,
            "the disk that its file is on has "
                + Size.ofBytes(free).toDisplay()
                + " free: "
                + file);
      }
    } catch (IOException e) {
      throw pool.failed(e, file + ": cannot be looked at");
    }
  }

  private Size usualSize() throws IOException {
    long available = Files.getFileStore(pool.directory()).getUsableSpace();
    OptionalLong size = LoopFile.usualSize(available, LEAST.bytes());
    if (size.isEmpty()) {
      throw pool.failure(
          Kind.EXHAUSTED,
          "no room for a file: "
              + Size.ofBytes(available).toDisplay()
              + " free in "
              + pool.directory());
    }
    return Size.ofBytes(size.getAsLong());
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
      throw pool.failed(e, file + ": cannot be removed");
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
      throw pool.failed(e, file + ": cannot grow");
    }
  }
}
