package dev.stapes.examples.lifecycle;

import com.github.luben.zstd.ZstdInputStream;
import dev.stapes.ImageSources;
import dev.stapes.model.ImageMetadata;
import dev.stapes.spi.ImageSource;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * The busybox image with templates, which are behind its root file system.
 *
 * @param metadata of the archive
 * @param properties of the image; also added to its metadata
 * @param templates texts by name
 * @param links of the root file system by path, instead of what is there
 */
record TemplatedBusybox(
    String metadata,
    Map<String, String> properties,
    Map<String, String> templates,
    Map<String, String> links)
    implements ImageSource {
  @Override
  public String describe() {
    return "busybox with templates";
  }

  @Override
  public Fetched fetch(Context context) {
    Path archive = context.work().resolve("templated.tar");
    Path plain = ImageSources.busybox().fetch(context).archive();
    try (TarArchiveInputStream in =
            new TarArchiveInputStream(
                new BufferedInputStream(new ZstdInputStream(Files.newInputStream(plain))));
        TarArchiveOutputStream out = new TarArchiveOutputStream(Files.newOutputStream(archive))) {
      out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      StringBuilder yaml = new StringBuilder(metadata).append("properties:\n");
      properties.forEach((key, value) -> yaml.append("  ").append(key).append(": ").append(value));
      add(out, "metadata.yaml", yaml.append('\n').toString());
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        String path = entry.getName().replaceFirst("^rootfs", "");
        if (!entry.getName().equals("metadata.yaml") && !links.containsKey(path)) {
          add(out, entry, in);
        }
      }
      for (Map.Entry<String, String> link : links.entrySet()) {
        TarArchiveEntry entry =
            new TarArchiveEntry("rootfs" + link.getKey(), TarArchiveEntry.LF_SYMLINK);
        entry.setLinkName(link.getValue());
        entry.setModTime(0);
        add(out, entry, InputStream.nullInputStream());
      }
      for (Map.Entry<String, String> template : templates.entrySet()) {
        add(out, "templates/" + template.getKey(), template.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Fetched(archive, ImageMetadata.container("x86_64", Instant.EPOCH, properties));
  }

  private static void add(TarArchiveOutputStream out, String name, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    entry.setModTime(0);
    add(out, entry, new ByteArrayInputStream(bytes));
  }

  private static void add(TarArchiveOutputStream out, TarArchiveEntry entry, InputStream content)
      throws IOException {
    out.putArchiveEntry(entry);
    content.transferTo(out);
    out.closeArchiveEntry();
  }
}
