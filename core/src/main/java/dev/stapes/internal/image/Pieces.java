package dev.stapes.internal.image;

import java.util.Optional;

/** The pieces of an archive that come out of its decoder. */
interface Pieces extends AutoCloseable {
  /** The next one; empty at the end. Waits for it. Errors as of {@link ArchiveDecoder}. */
  Optional<ArchiveDecoder.Piece> next();

  @Override
  void close();
}
