package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A unified image archive, as {@code incus image export} writes it. */
final class FileSource implements ImageSource {
  private static final int CHUNK = 256 << 10;

  private final Path file;

  FileSource(Path file) {
    this.file = file;
  }

  @Override
  public String describe() {
    return "file " + file;
  }

  @Override
  public Fetched fetch(Context context) {
    if (!Files.exists(file)) {
      throw StapesException.notFound("image file " + file);
    }
    if (!Files.isRegularFile(file)) {
      throw StapesException.invalid("image file " + file, "is no regular file");
    }
    // The copy is read, not the file: what was checked is what is imported.
    Path copy = context.work().resolve("image");
    copy(copy, context.progress());
    return new Fetched(copy, metadata(copy));
  }

  private void copy(Path target, Progress progress) {
    try (InputStream in = new FileInputStream(file.toFile());
        OutputStream out = new FileOutputStream(target.toFile())) {
      long total = Files.size(file);
      byte[] chunk = new byte[CHUNK];
      long done = 0;
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(
              StapesException.Kind.INTERRUPTED, "image file " + file, "copying was interrupted");
        }
        out.write(chunk, 0, count);
        done += count;
        progress.update("copy", done, total);
      }
    } catch (IOException e) {
      throw DiskError.of("image file " + file, "cannot be copied", e);
    }
  }

  /** Reads as far as the metadata and the first of the root file system. */
  private ImageMetadata metadata(Path archive) {
    Optional<ImageMetadata> metadata = Optional.empty();
    boolean rootfs = false;
    try (ArchiveInput in = ArchiveInput.open(archive, ArchiveLimits.USUAL, Progress.NONE, "read")) {
      TarReader tar = new TarReader(in, ArchiveLimits.USUAL);
      while (metadata.isEmpty() || !rootfs) {
        Optional<TarEntry> entry = tar.next();
        if (entry.isEmpty()) {
          throw incomplete(metadata.isPresent());
        }
        EntryPath path = EntryPath.of(entry.get().name(), ArchiveLimits.USUAL);
        rootfs |= path.isRootfs();
        if (path.is(MetadataYaml.NAME)) {
          metadata = Optional.of(MetadataYaml.read(content(entry.get(), tar)));
        } else if (path.is("rootfs.img")) {
          throw new StapesException(
              StapesException.Kind.UNSUPPORTED,
              "image file " + file,
              "is the image of a virtual machine");
        }
      }
    }
    return metadata.get();
  }

  private StapesException incomplete(boolean metadata) {
    return metadata
        ? new StapesException(
            StapesException.Kind.UNSUPPORTED,
            "image file " + file,
            "has metadata.yaml but no rootfs/: the two files of a split image cannot be imported,"
                + " only one file with both")
        : StapesException.invalid("image file " + file, "has no metadata.yaml");
  }

  private static byte[] content(TarEntry entry, TarReader tar) {
    if (entry.kind() != TarEntry.Kind.FILE || entry.size() > MetadataYaml.LIMIT) {
      throw BadArchive.entry(
          entry.name(), "must be a file of at most " + MetadataYaml.LIMIT + " bytes");
    }
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    try {
      tar.content(content);
    } catch (IOException e) {
      throw DiskError.of("image archive", "cannot be read", e);
    }
    return content.toByteArray();
  }
}
