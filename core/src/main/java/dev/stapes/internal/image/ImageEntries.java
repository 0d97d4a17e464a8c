package dev.stapes.internal.image;

import java.util.Optional;

/** The things of an archive, one after the other: directories before what is in them. */
interface ImageEntries {
  /** The next one, or empty behind the last. */
  Optional<TarEntry> next();

  /** Hands over the content of the file that {@link #next} gave last. */
  void content(Content content);
}
