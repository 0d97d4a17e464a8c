package dev.stapes.storage.zfs;

import dev.stapes.model.IdMapping;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.Optional;

/** A volume in use at a path, with owners as on disk. */
final class VolumeAttachment implements StoragePool.Attachment {
  private final DatasetMounts.Use use;

  VolumeAttachment(DatasetMounts.Use use) {
    this.use = use;
  }

  @Override
  public Path path() {
    return use.path();
  }

  @Override
  public Optional<IdMapping> mapped() {
    return Optional.empty();
  }

  @Override
  public void close() {
    use.close();
  }
}
