package dev.stapes.spi;

import dev.stapes.model.Size;
import java.util.Set;

/**
 * Decodes formats of compression faster than the core, which decodes them in Java where no provider
 * is available.
 */
public interface DecoderProvider extends Provider {
  /** A format of compression. */
  enum Format {
    /** xz(1): streams, one behind the other, with padding between them. */
    XZ,
    /** The format before xz: one stream, until it ends; what is behind it does not matter. */
    LZMA
  }

  /** What it decodes. */
  Set<Format> formats();

  /** Whether it can work on this machine. */
  Availability probe();

  /**
   * Opens a decoder.
   *
   * @param format one of {@link #formats}
   * @param memory that what is compressed may ask for at most, outside of the heap; the decoder
   *     takes less than 1 MiB beyond that
   * @throws dev.stapes.model.StapesException UNAVAILABLE, with what is missing; EXHAUSTED where
   *     there is no memory
   */
  Decoder open(Format format, Size memory);
}
