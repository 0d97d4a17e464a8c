package dev.stapes.internal.image;

import com.github.luben.zstd.Zstd;
import dev.stapes.model.StapesException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorInputStream;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.XZInputStream;

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

  private static final int MEMORY_KIB = 64 << 10;

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

  /**
   * Decodes a block.
   *
   * @param most bytes that it may have
   * @throws StapesException INVALID where it is damaged or has more
   */
  byte[] decode(byte[] block, int most) {
    try {
      return switch (this) {
        case ZLIB -> inflate(block, most);
        case ZSTD -> zstd(block, most);
        case XZ -> all(new XZInputStream(new ByteArrayInputStream(block), MEMORY_KIB), most);
        case LZMA -> all(new LZMAInputStream(new ByteArrayInputStream(block), MEMORY_KIB), most);
        case LZ4 -> all(new BlockLZ4CompressorInputStream(new ByteArrayInputStream(block)), most);
      };
    } catch (IOException | DataFormatException | RuntimeException e) {
      throw BadArchive.because("has a damaged block: " + e.getMessage(), e);
    }
  }

  private static byte[] inflate(byte[] block, int most) throws DataFormatException {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(block);
      byte[] decoded = new byte[most];
      int done = 0;
      while (!inflater.finished()) {
        int count = inflater.inflate(decoded, done, most - done);
        done += count;
        if (count == 0 && !inflater.finished()) {
          throw new DataFormatException("it ends early, or has too much");
        }
      }
      return done == most ? decoded : Arrays.copyOf(decoded, done);
    } finally {
      inflater.end();
    }
  }

  private static byte[] zstd(byte[] block, int most) throws DataFormatException {
    byte[] decoded = new byte[most];
    long count = Zstd.decompressByteArray(decoded, 0, most, block, 0, block.length);
    if (Zstd.isError(count)) {
      throw new DataFormatException(Zstd.getErrorName(count));
    }
    return count == most ? decoded : Arrays.copyOf(decoded, (int) count);
  }

  private static byte[] all(InputStream in, int most) throws IOException {
    try (in) {
      byte[] decoded = in.readNBytes(most);
      if (decoded.length == most && in.read() >= 0) {
        throw new IOException("it has too much");
      }
      return decoded;
    }
  }
}
