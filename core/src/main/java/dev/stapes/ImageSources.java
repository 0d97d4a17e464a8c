package dev.stapes;

import dev.stapes.internal.image.BuiltInSources;
import dev.stapes.model.ImageMetadata;
import dev.stapes.spi.ImageSource;
import java.nio.file.Path;

/** The sources of images that come with Stapes. */
public final class ImageSources {
  private ImageSources() {}

  /**
   * A small system, some 2 MB, of this machine's own busybox: no network needed, ready in
   * milliseconds. Its first process is a small script, which shuts down at once when it is asked
   * to. The same busybox file always gives the same image.
   *
   * <p>Importing it fails as UNAVAILABLE where the machine has no busybox, or only one that needs
   * libraries: install the package {@code busybox-static}.
   */
  public static ImageSource busybox() {
    return BuiltInSources.busybox();
  }

  /**
   * A minimal Debian, or derivative, with systemd as its first process. Made by debootstrap(8) in
   * about a minute, from the mirror that this machine's own apt uses; a proxy is taken from the
   * usual environment variables. What it was made with (host name, package lists, machine id) is
   * not in it.
   *
   * <p>Importing it fails as UNAVAILABLE where debootstrap or a mirror is missing, as DENIED
   * without root, and as INTERNAL with the end of its log where debootstrap fails.
   *
   * @param suite such as {@code trixie}
   * @throws dev.stapes.model.StapesException INVALID where that is no name of a suite
   */
  public static ImageSource debootstrap(String suite) {
    return BuiltInSources.debootstrap(suite);
  }

  /**
   * A unified image archive as {@code incus image export} writes it: a tar, plain or compressed by
   * gzip, bzip2, xz, lzma, zstd or lz4, with {@code metadata.yaml} and {@code rootfs/}.
   *
   * <p>Importing it fails as NOT_FOUND without the file, as INVALID where it is damaged, and as
   * UNSUPPORTED where it is half of a split image, a disk, or the image of a virtual machine.
   */
  public static ImageSource file(Path archive) {
    return BuiltInSources.file(archive);
  }

  /**
   * A directory with a root file system, owners as on disk. What is below its {@code dev} and
   * sockets are left out.
   */
  public static ImageSource directory(Path rootfs, ImageMetadata metadata) {
    return BuiltInSources.directory(rootfs, metadata);
  }
}
