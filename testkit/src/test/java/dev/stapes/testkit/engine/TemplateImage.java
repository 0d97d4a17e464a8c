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
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An image with templates.
 *
 * @param rules the member {@code templates} of its metadata, or nothing
 * @param properties of the image
 * @param entries of its archive by name, in their order: a text, a directory where the name ends
 *     with a slash, a link where the text begins with {@code ->}
 */
record TemplateImage(String rules, Map<String, String> properties, Map<String, String> entries)
    implements ImageSource {
  static TemplateImage of(String rules, Map<String, String> entries) {
    TreeMap<String, String> all = new TreeMap<>(entries);
    all.put("rootfs/", "");
    all.put("rootfs/etc/", "");
    return new TemplateImage(rules, Map.of(), all);
  }

  static TemplateImage needing(String requirement, String value) {
    return new TemplateImage(
        "", Map.of("requirements." + requirement, value), Map.of("rootfs/", ""));
  }

  @Override
  public String describe() {
    return "an image with templates";
  }

  @Override
  public Fetched fetch(Context context) {
    Path archive = context.work().resolve("image.tar");
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(Files.newOutputStream(archive))) {
      add(tar, "metadata.yaml", "architecture: x86_64\ncreation_date: 0\n" + rules);
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        add(tar, entry.getKey(), entry.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Fetched(archive, ImageMetadata.container("x86_64", Instant.EPOCH, properties));
  }

  private static void add(TarArchiveOutputStream tar, String name, String text) throws IOException {
    if (text.startsWith("->")) {
      TarArchiveEntry link = new TarArchiveEntry(name, TarArchiveEntry.LF_SYMLINK);
      link.setLinkName(text.substring(2));
      tar.putArchiveEntry(link);
      tar.closeArchiveEntry();
      return;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setModTime(0);
    entry.setSize(bytes.length);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
  }
}
