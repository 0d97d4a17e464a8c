package dev.stapes.spi;

import dev.stapes.model.IdMapping;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** A volume in use at a path. */
final class PathAttachment implements StoragePool.Attachment {
  private final Path path;
  private final Optional<IdMapping> mapped;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * A volume in use.
   *
   * @param release done once, when it is closed
   */
  PathAttachment(Path path, Optional<IdMapping> mapped, Runnable release) {
    this.path = path;
    this.mapped = mapped;
    this.release = release;
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public Optional<IdMapping> mapped() {
    return mapped;
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      release.run();
    }
  }
}
