package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.util.Optional;

/** A directory with a root file system. */
final class DirectorySource implements ImageSource {
  private final Path rootfs;
  private final ImageMetadata metadata;

  DirectorySource(Path rootfs, ImageMetadata metadata) {
    this.rootfs = rootfs;
    this.metadata = metadata;
  }

  @Override
  public String describe() {
    return "directory " + rootfs;
  }

  @Override
  public Fetched fetch(Context context) {
    Path archive = context.work().resolve("directory.tar.zst");
    try (Tree tree = context.host().tree(rootfs.toAbsolutePath(), Tree.Resolution.BENEATH)) {
      new RootfsPacker(tree, Optional.empty(), path -> true, context.progress())
          .pack(archive, true, metadata);
    }
    return new Fetched(archive, metadata);
  }
}
