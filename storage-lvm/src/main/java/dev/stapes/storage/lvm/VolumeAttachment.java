package dev.stapes.storage.lvm;

import dev.stapes.model.IdMapping;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** A volume in use at a path. */
final class VolumeAttachment implements StoragePool.Attachment {
  private final Path path;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * A volume in use.
   *
   * @param release done once, when it is closed
   */
  VolumeAttachment(Path path, Runnable release) {
    this.path = path;
    this.release = release;
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public Optional<IdMapping> mapped() {
    return Optional.empty();
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      release.run();
    }
  }
}
