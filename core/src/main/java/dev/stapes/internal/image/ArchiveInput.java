package dev.stapes.internal.image;

import dev.stapes.internal.image.Blocks.Block;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The decoded bytes of an archive file, see {@link ArchiveDecoder} for its errors; an interrupt of
 * the thread ends the reading. Not for use by several threads.
 */
final class ArchiveInput implements AutoCloseable {
  private final Pieces pieces;
  private final Compression compression;
  private final long total;
  private final Progress progress;
  private final String stage;
  private @Nullable Block block;
  private byte[] buffer = new byte[0];
  private int position;
  private int limit;
  private long decoded;

  private ArchiveInput(Pieces pieces, ArchiveDecoder decoder, Progress progress, String stage) {
    this.pieces = pieces;
    this.compression = decoder.compression();
    this.total = decoder.total();
    this.progress = progress;
    this.stage = stage;
  }

  /**
   * Opens an archive file.
   *
   * @param stage the word for {@code progress}, which is told of compressed bytes
   */
  static ArchiveInput open(Path archive, ArchiveLimits limits, Progress progress, String stage) {
    ArchiveDecoder decoder = ArchiveDecoder.open(archive, limits, Optional.empty());
    return new ArchiveInput(decoder, decoder, progress, stage);
  }

  /**
   * The same to read all of it: decoded on other threads.
   *
   * @param decoders decode what they can
   */
  static ArchiveInput openAhead(
      Path archive, ArchiveLimits limits, Decoders decoders, Progress progress, String stage) {
    ArchiveDecoder decoder = ArchiveDecoder.open(archive, limits, Optional.of(decoders));
    Pieces pieces = decoder.isAhead() ? decoder : new ReadAhead(decoder);
    return new ArchiveInput(pieces, decoder, progress, stage);
  }

  /** How it is compressed. */
  Compression compression() {
    return compression;
  }

  /**
   * Reads as many bytes as asked for, or none at the end.
   *
   * @return whether there were any
   */
  boolean read(byte[] into) {
    int done = 0;
    while (done < into.length) {
      if (position == limit && !fill()) {
        if (done == 0) {
          return false;
        }
        throw early();
      }
      int count = Math.min(into.length - done, limit - position);
      System.arraycopy(buffer, position, into, done, count);
      position += count;
      done += count;
    }
    return true;
  }

  /** Passes so many bytes over. */
  void skip(long count) {
    long left = count;
    while (left > 0) {
      if (position == limit) {
        long skipped = pieces.skip(left);
        decoded += skipped;
        left -= skipped;
        if (left > 0 && !fill()) {
          throw early();
        }
      }
      int step = (int) Math.min(left, limit - position);
      position += step;
      left -= step;
    }
  }

  /** Hands over so many bytes. */
  void copy(long count, Content content) {
    long left = count;
    while (left > 0) {
      if (position == limit && !fill()) {
        throw early();
      }
      int step = (int) Math.min(left, limit - position);
      content.data(Objects.requireNonNull(block), position, step);
      position += step;
      left -= step;
    }
  }

  /** Reads what is left, which must be zeros, so that the decoder's last checks are made. */
  void finish() {
    do {
      for (; position < limit; position++) {
        if (buffer[position] != 0) {
          throw BadArchive.because("has data behind its end");
        }
      }
    } while (fill());
  }

  @Override
  public void close() {
    pieces.close();
  }

  private boolean fill() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted");
    }
    if (block != null) {
      block.release();
      block = null;
    }
    position = 0;
    limit = 0;
    Optional<ArchiveDecoder.Piece> next = pieces.next();
    if (next.isEmpty()) {
      return false;
    }
    ArchiveDecoder.Piece piece = next.get();
    block = piece.block();
    buffer = piece.block().bytes();
    limit = piece.length();
    decoded += limit;
    progress.update(stage, piece.read(), total);
    return true;
  }

  private StapesException early() {
    return BadArchive.because("ends early, after " + decoded + " bytes of tar");
  }
}
