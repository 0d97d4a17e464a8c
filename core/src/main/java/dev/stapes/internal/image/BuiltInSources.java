package dev.stapes.internal.image;

import dev.stapes.model.DiskFileSpec;
import dev.stapes.model.ImageMetadata;
import dev.stapes.spi.ImageSource;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;

/** Makes the built-in sources; {@code dev.stapes.ImageSources} is what users see of it. */
public final class BuiltInSources {
  private BuiltInSources() {}

  /** See {@code ImageSources}. */
  public static ImageSource busybox() {
    return new BusyboxSource();
  }

  /** See {@code ImageSources}. */
  public static ImageSource debootstrap(String suite) {
    return new DebootstrapSource(
        suite, InstantSource.system(), name -> Optional.ofNullable(System.getenv(name)));
  }

  /** See {@code ImageSources}. */
  public static ImageSource file(Path archive) {
    return new FileSource(archive, Optional.empty());
  }

  /** See {@code ImageSources}. */
  public static ImageSource split(Path metadata, Path rootfs) {
    return new FileSource(metadata, Optional.of(rootfs));
  }

  /** See {@code ImageSources}. */
  public static ImageSource disk(DiskFileSpec disk) {
    return new DiskSource(disk);
  }

  /** See {@code ImageSources}. */
  public static ImageSource directory(Path rootfs, ImageMetadata metadata) {
    return new DirectorySource(rootfs, metadata);
  }
}
