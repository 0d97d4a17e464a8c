package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.spi.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** The files of images, as servers have them. */
public final class SmallImage {
  /** What they say of themselves. */
  public static final ImageMetadata METADATA =
      ImageMetadata.container(
          "x86_64", Instant.parse("2026-01-02T03:04:05Z"), Map.of("os", "own", "name", "own-name"));

  private SmallImage() {}

  private interface Content {
    void add(TarWriter tar) throws IOException;
  }

  /** A unified archive. */
  public static byte[] unified() {
    return xz(
        tar -> {
          metadata(tar, METADATA);
          tar.add(TarEntry.directory("rootfs", 0755, METADATA.createdAt()));
        });
  }

  /** The first file of a split image. */
  public static byte[] metadata() {
    return metadata(METADATA);
  }

  /** The first file of a split image. */
  public static byte[] metadata(ImageMetadata metadata) {
    return xz(tar -> metadata(tar, metadata));
  }

  /** The second file of a split image. */
  public static byte[] rootfs(int size) {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    return xz(
        tar -> {
          Instant time = METADATA.createdAt();
          tar.add(TarEntry.directory("etc", 0755, time));
          tar.add(TarEntry.file("etc/file", 0644, content.length, time), content);
        });
  }

  private static void metadata(TarWriter tar, ImageMetadata metadata) throws IOException {
    byte[] yaml = MetadataYaml.write(metadata);
    tar.add(TarEntry.file(MetadataYaml.NAME, 0644, yaml.length, METADATA.createdAt()), yaml);
  }

  private static byte[] xz(Content content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (XZOutputStream out = new XZOutputStream(bytes, new LZMA2Options(0))) {
      TarWriter tar = new TarWriter(out);
      content.add(tar);
      tar.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** SHA-256 of files one after the other. */
  public static String sha256(byte[]... files) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (byte[] file : files) {
        digest.update(file);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * What a source works with on a machine of x86_64: {@code work} anew, {@code cache} as it was.
   */
  public static ImageSource.Context context(Path root) {
    try {
      Path work = Files.createTempDirectory(root, "work");
      Path cache = Files.createDirectories(root.resolve("cache"));
      return new ImageSource.Context(
          new FakeHost(root), work, cache, (digest, target) -> false, Progress.NONE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** For requests. */
  public static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
