package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decodes an archive file piece by piece. Every complaint of a decoder, however it puts it, is an
 * INVALID error here, and the limits on size and ratio are kept. Not for use by several threads at
 * once.
 */
final class ArchiveDecoder implements Pieces {
  private static final int PIECE = 256 << 10;
  private static final int KEPT = 32;

  private final Blocks blocks = new Blocks(PIECE, KEPT);

  private final ArchiveLimits limits;
  private final long total;
  private final Source source;
  private final InputStream decoder; // ends at once where several threads decode
  private final Optional<ParallelDecoder> parallel;
  private final Compression compression;
  private long decoded;
  private long read;
  private boolean ended;

  private ArchiveDecoder(
      Path archive, Source source, long total, ArchiveLimits limits, Optional<Decoders> whole) {
    this.source = source;
    this.total = total;
    this.limits = limits;
    try {
      this.compression = Compression.detect(source.peek(Compression.PEEK));
      this.parallel =
          whole.flatMap(decoders -> ParallelDecoder.open(archive, compression, decoders, PIECE));
      this.decoder =
          parallel.isPresent()
              ? InputStream.nullInputStream()
              : compression.decode(source, whole.orElse(Decoders.JAVA));
    } catch (IOException | RuntimeException e) {
      throw failure(e, source.failure());
    }
  }

  /**
   * Decoded bytes.
   *
   * @param block whose first ones they are; the receiver's, who gives it back
   * @param length how many, at least 1
   * @param read bytes of the file that have been read or passed over until here
   */
  record Piece(Blocks.Block block, int length, long read) {}

  /**
   * Opens an archive file.
   *
   * @param whole given where all of it will be read, so that it pays to decode by several threads
   */
  static ArchiveDecoder open(Path archive, ArchiveLimits limits, Optional<Decoders> whole) {
    Source source;
    long total;
    try {
      total = Files.size(archive);
      // Not a channel: an interrupt would close it, and look like damage.
      source = new Source(new FileInputStream(archive.toFile()));
    } catch (NoSuchFileException e) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND, BadArchive.SUBJECT, "no such file: " + archive, e);
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL,
          BadArchive.SUBJECT,
          "cannot be read: " + e.getMessage(),
          e);
    }
    try {
      return new ArchiveDecoder(archive, source, total, limits, whole);
    } catch (Throwable e) {
      try {
        source.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /** Whether other threads than the caller's decode already. */
  boolean isAhead() {
    return parallel.isPresent();
  }

  /** How it is compressed. */
  Compression compression() {
    return compression;
  }

  /** Bytes of the file. */
  long total() {
    return total;
  }

  @Override
  public Optional<Piece> next() {
    Optional<Piece> piece;
    try {
      piece = parallel.isPresent() ? parallel.get().next() : decode();
    } catch (IOException | RuntimeException e) {
      throw failure(e, readFailure());
    }
    piece.ifPresent(
        more -> {
          decoded += more.length();
          read = more.read();
        });
    checkLimits();
    return piece;
  }

  private Optional<Piece> decode() throws IOException {
    Blocks.Block block = blocks.take();
    byte[] bytes = block.bytes();
    int length = 0;
    while (!ended && length < bytes.length) {
      int count = decoder.read(bytes, length, bytes.length - length);
      if (count < 0) {
        ended = true;
      } else {
        length += count;
      }
    }
    return length == 0 ? Optional.empty() : Optional.of(new Piece(block, length, source.count()));
  }

  /** Of a plain file all that it has: nothing is read. */
  @Override
  public long skip(long most) {
    if (compression != Compression.NONE || ended || most < PIECE) {
      return 0;
    }
    try {
      // None where the file has grown since it was opened.
      long skipped = source.pass(Math.max(0, Math.min(most, total - decoded)));
      decoded += skipped;
      read = source.count();
      checkLimits();
      return skipped;
    } catch (IOException e) {
      throw failure(e, source.failure());
    }
  }

  private @Nullable IOException readFailure() {
    return parallel.isPresent() ? parallel.get().failure() : source.failure();
  }

  private void checkLimits() {
    if (decoded > limits.unpacked().bytes()) {
      throw BadArchive.because("holds more than the allowed " + limits.unpacked());
    }
    if (decoded > ArchiveLimits.RATIO_FREE && decoded / limits.ratio() > read) {
      throw BadArchive.because(
          "grows to more than " + limits.ratio() + " times its size: not unpacked any further");
    }
  }

  @Override
  public void close() {
    try (source;
        decoder) {
      parallel.ifPresent(ParallelDecoder::close);
    } catch (IOException | RuntimeException e) {
      throw failure(e, readFailure());
    }
  }

  private static StapesException failure(Exception cause, @Nullable IOException reading) {
    if (cause instanceof StapesException known) {
      return known;
    }
    if (cause instanceof InterruptedIOException) {
      return new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted", cause);
    }
    if (reading != null) {
      return new StapesException(
          StapesException.Kind.INTERNAL,
          BadArchive.SUBJECT,
          "cannot be read: " + reading.getMessage(),
          reading);
    }
    return BadArchive.because("is damaged: " + cause.getMessage(), cause);
  }

  /** The file; remembers whether it was itself that failed. */
  private static final class Source extends FilterInputStream {
    private static final int CHUNK = 128 << 10;

    private final byte[] chunk = new byte[CHUNK];
    private int next;
    private int end;
    private long count;
    private @Nullable IOException failure;

    Source(InputStream in) {
      super(in);
    }

    long count() {
      return count;
    }

    @Nullable IOException failure() {
      return failure;
    }

    /** The first bytes, without passing them over. */
    byte[] peek(int length) throws IOException {
      if (next == end) {
        refill();
      }
      return Arrays.copyOfRange(chunk, next, Math.min(end, next + length));
    }

    @Override
    public int available() {
      return end - next;
    }

    @Override
    public long skip(long n) throws IOException {
      byte[] scrap = new byte[(int) Math.min(Math.max(n, 0), CHUNK)];
      return Math.max(read(scrap, 0, scrap.length), 0);
    }

    /** Passes over bytes that are there. */
    long pass(long length) throws IOException {
      int known = (int) Math.min(length, end - next);
      next += known;
      try {
        in.skipNBytes(length - known);
      } catch (IOException e) {
        failure = e;
        throw e;
      }
      count += length - known;
      return length;
    }

    @Override
    public int read() throws IOException {
      return next == end && !refill() ? -1 : chunk[next++] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (next == end && !refill()) {
        return -1;
      }
      int step = Math.min(length, end - next);
      System.arraycopy(chunk, next, into, offset, step);
      next += step;
      return step;
    }

    private boolean refill() throws IOException {
      try {
        int got = in.readNBytes(chunk, 0, CHUNK);
        next = 0;
        end = got;
        count += got;
        return got > 0;
      } catch (IOException e) {
        failure = e;
        throw e;
      }
    }
  }
}
