package dev.stapes.spi;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import java.nio.file.Path;

/** Where an image comes from. Used once. */
public interface ImageSource {
  /** What it is, in words, such as {@code busybox of this machine}. */
  String describe();

  /**
   * Brings the image. Everything it writes stays below the work directory, which is removed in any
   * case afterwards; interrupting the thread ends it.
   */
  Fetched fetch(Context context);

  /**
   * What a source works with.
   *
   * @param host the machine
   * @param work an empty directory of its own
   * @param progress is told how far it is
   */
  record Context(Host host, Path work, Progress progress) {}

  /**
   * What came.
   *
   * @param archive an archive below the work directory: a tar of the root file system below {@code
   *     rootfs/}, with {@code metadata.yaml} beside it, plain or compressed
   * @param metadata the content of {@code metadata.yaml}
   */
  record Fetched(Path archive, ImageMetadata metadata) {}
}
