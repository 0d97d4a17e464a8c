package dev.stapes.internal.image;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorInputStream;

/** How an archive is compressed, told from its first bytes. */
enum Compression {
  /** Not at all. */
  NONE,
  /** RFC 1952. */
  GZIP,
  /** bzip2(1). */
  BZIP2,
  /** xz(1). */
  XZ,
  /** The format before xz. */
  LZMA,
  /** RFC 8878. */
  ZSTD,
  /** Its frame format. */
  LZ4;

  /** What {@link #detect} wants to see: one tar block. */
  static final int PEEK = 512;

  // Beyond what xz -9 needs (65 MiB); an archive may not make the JVM run out of memory.
  private static final Size XZ_MEMORY = Size.ofMebibytes(160);

  /**
   * Tells the compression.
   *
   * @param start the first {@link #PEEK} bytes, or all
   * @throws StapesException UNSUPPORTED where it is a format known to be something else, INVALID
   *     where it is none
   */
  static Compression detect(byte[] start) {
    return find(start).orElseThrow(() -> unknown(start));
  }

  /** The same; empty where it is no archive. */
  static Optional<Compression> find(byte[] start) {
    if (starts(start, 0x1f, 0x8b)) {
      return Optional.of(GZIP);
    } else if (starts(start, 'B', 'Z', 'h')) {
      return Optional.of(BZIP2);
    } else if (starts(start, 0xfd, '7', 'z', 'X', 'Z', 0)) {
      return Optional.of(XZ);
    } else if (starts(start, 0x28, 0xb5, 0x2f, 0xfd) || starts(start, 0x50, 0x2a, 0x4d, 0x18)) {
      return Optional.of(ZSTD);
    } else if (starts(start, 0x04, 0x22, 0x4d, 0x18)) {
      return Optional.of(LZ4);
    } else if (starts(start, 0x5d, 0, 0)) {
      return Optional.of(LZMA);
    } else if (start.length >= TarFormat.BLOCK && TarFormat.isHeader(start)) {
      return Optional.of(NONE);
    }
    return Optional.empty();
  }

  /** The content of a compressed stream; closing it closes the other. */
  InputStream decode(InputStream in, Decoders decoders) throws IOException {
    return switch (this) {
      case NONE -> in;
      case GZIP ->
          GzipCompressorInputStream.builder()
              .setInputStream(in)
              .setDecompressConcatenated(true)
              .get();
      case BZIP2 -> new BZip2CompressorInputStream(in, true);
      case XZ -> new DecoderInput(decoders.open(Format.XZ, XZ_MEMORY), in);
      case LZMA -> new DecoderInput(decoders.open(Format.LZMA, XZ_MEMORY), in);
      case ZSTD -> new ZstdInputStreamNoFinalizer(in);
      case LZ4 -> new FramedLZ4CompressorInputStream(in, true);
    };
  }

  private static StapesException unknown(byte[] start) {
    String other = "";
    if (starts(start, 'h', 's', 'q', 's')) {
      other = "a squashfs file system";
    } else if (starts(start, 'Q', 'F', 'I', 0xfb)) {
      other = "a qcow2 disk";
    } else if (starts(start, 'P', 'K', 3, 4)) {
      other = "a zip archive";
    }
    if (!other.isEmpty()) {
      return new StapesException(
          StapesException.Kind.UNSUPPORTED,
          "image archive",
          "is " + other + ": only tar archives, plain or compressed, can be read");
    }
    byte[] few = Arrays.copyOf(start, Math.min(start.length, 8));
    return BadArchive.because(
        start.length == 0
            ? "is empty"
            : "is no tar archive and not compressed in a known way: begins with "
                + HexFormat.ofDelimiter(" ").formatHex(few)
                + " ("
                + BadArchive.quote(new String(few, StandardCharsets.ISO_8859_1))
                + ")");
  }

  private static boolean starts(byte[] start, int... magic) {
    if (start.length < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((start[i] & 0xff) != magic[i]) {
        return false;
      }
    }
    return true;
  }
}
