package dev.stapes.testkit.engine;

import dev.stapes.model.ImageMetadata;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** An image of some small files, always the same for the same text and size. */
record SmallImage(String text, int fillers, Optional<RuntimeException> broken)
    implements ImageSource {
  /** The size of each filler. */
  static final int FILLER = 1 << 20;

  /** One file. */
  static SmallImage of(String text) {
    return new SmallImage(text, 0, Optional.empty());
  }

  /** With some files of 1 MiB. */
  SmallImage fillers(int count) {
    return new SmallImage(text, count, broken);
  }

  /** Whose fetching fails half way. */
  SmallImage failing(RuntimeException error) {
    return new SmallImage(text, fillers, Optional.of(error));
  }

  @Override
  public String describe() {
    return "small image";
  }

  @Override
  public Fetched fetch(Context context) {
    Path archive = context.work().resolve("image.tar");
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(Files.newOutputStream(archive))) {
      add(tar, "metadata.yaml", "architecture: x86_64\ncreation_date: 0\nproperties:\n  os: x\n");
      add(tar, "rootfs/", "");
      add(tar, "rootfs/note", text);
      for (int i = 0; i < fillers; i++) {
        add(tar, "rootfs/filler-" + i, ".".repeat(FILLER));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    broken.ifPresent(
        error -> {
          throw error;
        });
    return new Fetched(
        archive, ImageMetadata.container("x86_64", Instant.EPOCH, Map.of("os", "x")));
  }

  static void add(TarArchiveOutputStream tar, String name, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setModTime(0);
    entry.setSize(bytes.length);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
  }
}
