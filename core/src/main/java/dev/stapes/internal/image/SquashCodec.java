package dev.stapes.internal.image;

import com.github.luben.zstd.Zstd;
import dev.stapes.model.StapesException;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorInputStream;

/** How the blocks of a squashfs file system are compressed, each for itself. */
enum SquashCodec {
  /** RFC 1950. */
  ZLIB(1),
  /** The format before xz. */
  LZMA(2),
  /** Streams of xz(1). */
  XZ(4),
  /** Blocks without a frame. */
  LZ4(5),
  /** RFC 8878. */
  ZSTD(6);

  private final int number;

  SquashCodec(int number) {
    this.number = number;
  }

  /** By the number in the superblock. UNSUPPORTED: LZO, and what is not known. */
  static SquashCodec of(int number) {
    for (SquashCodec codec : values()) {
      if (codec.number == number) {
        return codec;
      }
    }
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED,
        BadArchive.SUBJECT,
        "is squashfs compressed in a way that cannot be read: " + (number == 3 ? "lzo" : number));
  }

  /** What decodes it; empty: {@link #decode}. */
  Optional<Format> format() {
    return switch (this) {
      case XZ -> Optional.of(Format.XZ);
      case LZMA -> Optional.of(Format.LZMA);
      case ZLIB, ZSTD, LZ4 -> Optional.empty();
    };
  }

  /**
   * Decodes a block of those without a {@link #format}.
   *
   * @param into takes what comes out
   * @param most bytes that it may have
   * @return how many it has
   * @throws StapesException INVALID where it is damaged or has more
   */
  int decode(byte[] block, int length, byte[] into, int most) {
    try {
      return switch (this) {
        case ZLIB -> inflate(block, length, into, most);
        case ZSTD -> zstd(block, length, into, most);
        case XZ, LZMA -> throw new IllegalStateException(this + " is decoded elsewhere");
        case LZ4 -> all(new BlockLZ4CompressorInputStream(stream(block, length)), into, most);
      };
    } catch (IOException | DataFormatException | RuntimeException e) {
      throw damaged(e);
    }
  }

  /** A block that cannot be decoded. */
  static StapesException damaged(Exception cause) {
    return BadArchive.because("has a damaged block: " + cause.getMessage(), cause);
  }

  private static InputStream stream(byte[] block, int length) {
    return new ByteArrayInputStream(block, 0, length);
  }

  private static int inflate(byte[] block, int length, byte[] into, int most)
      throws DataFormatException {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(block, 0, length);
      int done = 0;
      while (!inflater.finished()) {
        int count = inflater.inflate(into, done, most - done);
        done += count;
        if (count == 0 && !inflater.finished()) {
          throw new DataFormatException("it ends early, or has too much");
        }
      }
      return done;
    } finally {
      inflater.end();
    }
  }

  private static int zstd(byte[] block, int length, byte[] into, int most)
      throws DataFormatException {
    long count = Zstd.decompressByteArray(into, 0, most, block, 0, length);
    if (Zstd.isError(count)) {
      throw new DataFormatException(Zstd.getErrorName(count));
    }
    return (int) count;
  }

  private static int all(InputStream in, byte[] into, int most) throws IOException {
    try (in) {
      int done = in.readNBytes(into, 0, most);
      if (done == most && in.read() >= 0) {
        throw new IOException("it has too much");
      }
      return done;
    }
  }
}
