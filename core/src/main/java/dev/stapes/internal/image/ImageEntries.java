package dev.stapes.internal.image;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/** The things of an archive, one after the other: directories before what is in them. */
interface ImageEntries {
  /** The next one, or empty behind the last. */
  Optional<TarEntry> next();

  /** Writes the content of the file that {@link #next} gave last, holes as zeros. */
  void content(OutputStream out) throws IOException;
}
