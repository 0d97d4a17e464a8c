package dev.stapes.internal.image;

import dev.stapes.spi.ImageSource;

/** Makes the built-in sources; {@code dev.stapes.ImageSources} is what users see of it. */
public final class BuiltInSources {
  private BuiltInSources() {}

  /** See {@code ImageSources}. */
  public static ImageSource busybox() {
    return new BusyboxSource();
  }
}
