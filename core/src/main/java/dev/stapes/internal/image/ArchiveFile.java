package dev.stapes.internal.image;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.PublishSpec.Compression;
import dev.stapes.model.StapesException;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** A new unified image archive: {@code metadata.yaml} in front. */
final class ArchiveFile {
  private static final int BUFFER = 256 << 10;
  private static final int LEVEL = 3;
  // The result does not depend on how many there are, but on whether there are any.
  private static final int WORKERS = 2;

  private ArchiveFile() {}

  /** Adds the root file system. */
  @FunctionalInterface
  interface Content {
    void add(TarWriter tar) throws IOException;
  }

  /**
   * Writes an archive.
   *
   * @param compressed whether in zstd
   * @param timestamp of the entry {@code metadata.yaml}
   */
  static void write(
      Path archive,
      boolean compressed,
      ImageMetadata metadata,
      Instant timestamp,
      Content content) {
    Compression compression = compressed ? Compression.ZSTD : Compression.NONE;
    write(archive, compression, MetadataYaml.write(metadata), timestamp, content);
  }

  /**
   * Writes an archive.
   *
   * @param yaml the content of {@code metadata.yaml}
   * @param timestamp of the entry {@code metadata.yaml}
   * @throws StapesException INVALID for what exceeds the {@link TarWriter#limit limits} of the
   *     content
   */
  static void write(
      Path archive, Compression compression, byte[] yaml, Instant timestamp, Content content) {
    // Not a channel: an interrupt would close it.
    try (OutputStream file = new FileOutputStream(archive.toFile());
        OutputStream out = new BufferedOutputStream(compressed(file, compression), BUFFER)) {
      TarWriter tar = new TarWriter(out);
      tar.add(TarEntry.file(MetadataYaml.NAME, 0644, yaml.length, timestamp), yaml);
      content.add(tar);
      tar.finish();
      out.close();
      tar.checkCompressed(Files.size(archive));
    } catch (IOException e) {
      throw DiskError.of("image archive", "cannot be written to " + archive, e);
    }
  }

  private static OutputStream compressed(OutputStream file, Compression how) throws IOException {
    return switch (how) {
      case ZSTD -> zstd(file);
      case GZIP -> new GzipCompressorOutputStream(file); // says nothing of name and time
      case XZ -> new XZOutputStream(file, new LZMA2Options());
      case NONE -> file;
    };
  }

  /** Compresses, with checksums. */
  static OutputStream zstd(OutputStream file) throws IOException {
    ZstdOutputStreamNoFinalizer zstd = new ZstdOutputStreamNoFinalizer(file, LEVEL);
    try {
      return zstd.setWorkers(WORKERS).setChecksum(true);
    } catch (IOException e) {
      zstd.close();
      throw e;
    }
  }
}
