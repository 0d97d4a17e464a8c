package dev.stapes.internal.image;

import dev.stapes.internal.image.disk.QemuImg;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;

/**
 * The disk of a virtual machine, which does not change meanwhile, as a unified image: a compressed
 * qcow2, as with Incus.
 */
public final class PublishedDisk implements ImageSource {
  private final String description;
  private final Supplier<StoragePool.Attachment> volume;
  private final ImageMetadata metadata;
  private final List<ImageTemplate> templates;
  private final PublishSpec.Compression compression;

  /**
   * Nothing is read yet.
   *
   * @param description what it is, in words
   * @param volume attaches the volume that the disk is in
   * @param templates that the image is to have; their texts may share a name
   */
  public PublishedDisk(
      String description,
      Supplier<StoragePool.Attachment> volume,
      ImageMetadata metadata,
      List<ImageTemplate> templates,
      PublishSpec.Compression compression) {
    this.description = description;
    this.volume = volume;
    this.metadata = metadata;
    this.templates = List.copyOf(templates);
    this.compression = compression;
  }

  @Override
  public String describe() {
    return description;
  }

  @Override
  public Fetched fetch(Context context) {
    Path disk = context.work().resolve("disk");
    context.progress().update("convert", 0, -1);
    try (StoragePool.Attachment attached = volume.get()) {
      new QemuImg(context.host(), description)
          .toCompressed(
              attached.device().orElseGet(() -> attached.path().resolve(Machine.Disk.IMAGE)), disk);
    }
    Path archive = context.work().resolve("published");
    Instant time = metadata.createdAt();
    ArchiveFile.write(
        archive,
        compression,
        MetadataYaml.write(metadata, templates),
        time,
        tar -> {
          PublishedSource.addTemplates(templates, tar, time);
          TarEntry entry = TarEntry.file(DiskUnpacker.IN_ARCHIVE, 0644, Files.size(disk), time);
          try (InputStream content = new Watched(disk, context.progress())) {
            tar.add(entry, content);
          }
        });
    return new Fetched(archive, metadata);
  }

  /** A large file, whose reading an interrupt ends. */
  private static final class Watched extends FilterInputStream {
    private final Progress progress;
    private final long total;
    private long done;

    Watched(Path file, Progress progress) throws IOException {
      super(new FileInputStream(file.toFile()));
      this.progress = progress;
      this.total = Files.size(file);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(
            StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "packing was interrupted");
      }
      int count = in.read(into, offset, length);
      done += Math.max(count, 0);
      progress.update("pack", done, total);
      return count;
    }
  }
}
