package dev.stapes;

import dev.stapes.internal.image.BuiltInSources;
import dev.stapes.spi.ImageSource;

/** The sources of images that come with Stapes. */
public final class ImageSources {
  private ImageSources() {}

  /**
   * A small system, some 2 MB, of this machine's own busybox: no network needed, ready in
   * milliseconds. Its first process is busybox's init, which shuts down at once when it is asked
   * to. The same busybox file always gives the same image.
   *
   * <p>Importing it fails as UNAVAILABLE where the machine has no busybox, or only one that needs
   * libraries: install the package {@code busybox-static}.
   */
  public static ImageSource busybox() {
    return BuiltInSources.busybox();
  }
}
