package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The decoded bytes of an archive file. Every complaint of a decoder, however it puts it, is an
 * INVALID error here; the limits on size and ratio are kept, and an interrupt of the thread ends
 * the reading. Not for use by several threads.
 */
final class ArchiveInput implements AutoCloseable {
  private static final int BUFFER = 256 << 10;

  private final ArchiveLimits limits;
  private final Progress progress;
  private final String stage;
  private final long total;
  private final Source source;
  private final InputStream decoder;
  private final Compression compression;
  private final byte[] buffer = new byte[BUFFER];
  private int position;
  private int limit;
  private long decoded;
  private boolean ended;

  private ArchiveInput(
      Source source, long total, ArchiveLimits limits, Progress progress, String stage) {
    this.source = source;
    this.total = total;
    this.limits = limits;
    this.progress = progress;
    this.stage = stage;
    try {
      this.compression = Compression.detect(source.peek(Compression.PEEK));
      this.decoder = compression.decode(source);
    } catch (IOException | RuntimeException e) {
      throw failure(e);
    }
  }

  /**
   * Opens an archive file.
   *
   * @param stage the word for {@code progress}, which is told of compressed bytes
   */
  static ArchiveInput open(Path archive, ArchiveLimits limits, Progress progress, String stage) {
    Source source;
    long total;
    try {
      total = Files.size(archive);
      // Not a channel: an interrupt would close it, and look like damage.
      source = new Source(new FileInputStream(archive.toFile()));
    } catch (NoSuchFileException e) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND, "image archive", "no such file: " + archive, e);
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, "image archive", "cannot be read: " + e.getMessage(), e);
    }
    try {
      return new ArchiveInput(source, total, limits, progress, stage);
    } catch (Throwable e) {
      try {
        source.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
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
      if (position == limit && !fill()) {
        throw early();
      }
      int step = (int) Math.min(left, limit - position);
      position += step;
      left -= step;
    }
  }

  /** Copies so many bytes. */
  void copy(long count, OutputStream out) throws IOException {
    long left = count;
    while (left > 0) {
      if (position == limit && !fill()) {
        throw early();
      }
      int step = (int) Math.min(left, limit - position);
      out.write(buffer, position, step);
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
    try {
      decoder.close();
    } catch (IOException | RuntimeException e) {
      throw failure(e);
    }
  }

  private boolean fill() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, "image archive", "reading was interrupted");
    }
    position = 0;
    limit = 0;
    try {
      while (!ended && limit < buffer.length) {
        int count = decoder.read(buffer, limit, buffer.length - limit);
        if (count < 0) {
          ended = true;
        } else {
          limit += count;
        }
      }
    } catch (IOException | RuntimeException e) {
      throw failure(e);
    }
    decoded += limit;
    checkLimits();
    progress.update(stage, source.count(), total);
    return limit > 0;
  }

  private void checkLimits() {
    if (decoded > limits.unpacked().bytes()) {
      throw BadArchive.because("holds more than the allowed " + limits.unpacked());
    }
    if (decoded > ArchiveLimits.RATIO_FREE && decoded / limits.ratio() > source.count()) {
      throw BadArchive.because(
          "grows to more than " + limits.ratio() + " times its size: not unpacked any further");
    }
  }

  private StapesException early() {
    return BadArchive.because("ends early, after " + decoded + " bytes of tar");
  }

  private StapesException failure(Exception cause) {
    if (cause instanceof StapesException known) {
      return known;
    }
    IOException reading = source.failure();
    if (reading != null) {
      return new StapesException(
          StapesException.Kind.INTERNAL,
          "image archive",
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
