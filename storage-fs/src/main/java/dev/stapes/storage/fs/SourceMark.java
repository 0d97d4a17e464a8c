package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.DurableFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The small file in a pool's directory that says which directory its source is. While a file system
 * is not mounted there is another directory at its mount point, which is empty.
 */
final class SourceMark {
  private static final Logger LOG = LoggerFactory.getLogger(SourceMark.class);

  private final PoolContext pool;
  private final Optional<Path> source;
  private final Path file;

  SourceMark(PoolContext pool) {
    this.pool = pool;
    this.source =
        pool.spec()
            .config()
            .get(PoolKeys.DIRECTORY_SOURCE)
            .map(text -> PoolKeys.absolute(pool, text));
    this.file = pool.directory().resolve("source");
  }

  /** Says which one it is now, where it is a directory. */
  void write() {
    Optional<String> now = source.flatMap(this::find);
    if (now.isPresent() && !now.equals(read())) {
      DurableFile.write(file, now.get());
    }
  }

  /** The same for a pool that is there, and can be used without. */
  void refresh() {
    try {
      write();
    } catch (StapesException e) {
      LOG.warn("{}: nobody is told which directory its source is", pool.subject(), e);
    }
  }

  /**
   * Looks whether what is at the source is what was there when the pool was opened last.
   *
   * @throws StapesException UNAVAILABLE where it is not, or nothing is
   */
  void require() {
    if (source.isEmpty()) {
      return;
    }
    Path path = source.get();
    if (Files.notExists(pool.local(path))) {
      throw pool.failure(Kind.UNAVAILABLE, path + ": is away, or not mounted");
    }
    Optional<String> known = read();
    if (known.isPresent() && !known.equals(find(path))) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          path
              + ": another one than that of the pool, whose file system may not be mounted; if it"
              + " is gone for good, remove "
              + file);
    }
  }

  private Optional<String> find(Path directory) {
    Set<OpenFlag> flags = Set.of(OpenFlag.PATH_ONLY, OpenFlag.DIRECTORY);
    try (Fd open = Fd.open(pool.sys(), pool.local(directory), flags)) {
      long fileSystem = new Kernel(pool.sys()).fileSystem(open).id();
      String id = Long.toHexString(fileSystem) + " " + open.stat().inode();
      return Optional.of("stapes-source 1 " + id + "\n");
    } catch (LinuxException e) {
      return Optional.empty(); // a device, or nothing that the pool could be on
    }
  }

  private Optional<String> read() {
    try {
      return Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw pool.failure(Kind.UNAVAILABLE, file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Removes it. */
  void delete() {
    if (source.isPresent()) {
      DurableFile.delete(file);
    }
  }
}
