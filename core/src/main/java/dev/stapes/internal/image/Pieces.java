package dev.stapes.internal.image;

import java.util.Optional;

/** The pieces of an archive that come out of its decoder. */
interface Pieces extends AutoCloseable {
  /** The next one; empty at the end. Waits for it. Errors as of {@link ArchiveDecoder}. */
  Optional<ArchiveDecoder.Piece> next();

  /**
   * Passes over what comes next, as far as that is less work than {@link #next}.
   *
   * @return how many bytes, up to {@code most}
   */
  default long skip(long most) {
    return 0;
  }

  @Override
  void close();
}
