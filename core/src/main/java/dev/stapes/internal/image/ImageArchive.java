package dev.stapes.internal.image;

import dev.stapes.internal.image.disk.Disk;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource.Fetched;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** The archive of an image, or the two of a split one, that somebody has brought. */
public final class ImageArchive {
  /** Those of an archive with a disk, which others keep when they are unpacked. */
  private static final ArchiveLimits LIMITS = DiskUnpacker.LIMITS;

  private final String subject;
  private final Optional<Path> rootfs;
  private boolean holdsDisk;

  private ImageArchive(String subject, Optional<Path> rootfs) {
    this.subject = subject;
    this.rootfs = rootfs;
  }

  /**
   * Looks into the files as far as their metadata and the begin of their root file system.
   *
   * @param rootfs the second file of a split image
   * @param subject what errors are about, such as {@code image file FILE}
   * @throws StapesException INVALID where they are no image, UNSUPPORTED where it is one that this
   *     version cannot use
   */
  public static Fetched fetched(Path archive, Optional<Path> rootfs, String subject) {
    ImageArchive image = new ImageArchive(subject, rootfs);
    ImageMetadata metadata = image.metadata(archive);
    boolean disk = image.holdsDisk || rootfs.map(image::requireRoot).orElse(false);
    return new Fetched(archive, rootfs, disk ? ofMachine(metadata) : metadata);
  }

  /** The same of a virtual machine: metadata do not say it themselves. */
  static ImageMetadata ofMachine(ImageMetadata metadata) {
    return new ImageMetadata(
        InstanceType.VIRTUAL_MACHINE,
        metadata.architecture(),
        metadata.createdAt(),
        metadata.properties());
  }

  /**
   * Checks that the files are the very ones that were meant.
   *
   * @param expected SHA-256 of them, one after the other
   * @param subject what errors are about
   * @throws StapesException INVALID where they are not
   */
  public static void requireFingerprint(
      Path archive, Optional<Path> rootfs, String expected, String subject, Progress progress) {
    String fingerprint = ImageFiles.fingerprint(new ImageParts(archive, rootfs), progress);
    if (!fingerprint.equals(expected)) {
      throw StapesException.invalid(
          subject, "has the fingerprint " + fingerprint + " instead of " + expected);
    }
  }

  /**
   * Reads as far as the metadata, and the first of the root file system where it is to be there.
   */
  private ImageMetadata metadata(Path archive) {
    Optional<ImageMetadata> metadata = Optional.empty();
    boolean inside = false;
    try (ArchiveInput in = ArchiveInput.open(archive, LIMITS, Progress.NONE, "read")) {
      TarReader tar = new TarReader(in, LIMITS);
      for (Optional<TarEntry> next = tar.next(); next.isPresent(); next = tar.next()) {
        TarEntry entry = next.get();
        EntryPath path = EntryPath.of(entry.name(), LIMITS);
        inside |= path.isRootfs();
        if (path.is(MetadataYaml.NAME)) {
          metadata = Optional.of(MetadataYaml.read(tar.content(entry, MetadataYaml.LIMIT)));
        } else if (path.is(DiskUnpacker.IN_ARCHIVE)) {
          Disk.ofStart(DiskUnpacker.start(entry, tar), entry.size(), subject);
          holdsDisk = true;
        }
        inside |= holdsDisk;
        if (inside && rootfs.isPresent()) {
          throw StapesException.invalid(
              subject,
              "has a "
                  + (holdsDisk ? "disk" : "rootfs/")
                  + " of its own: it is no half of a split image");
        }
        if (inside && metadata.isPresent()) {
          return metadata.get();
        }
      }
    }
    if (metadata.isEmpty()) {
      throw StapesException.invalid(subject, "has no metadata.yaml");
    }
    if (rootfs.isEmpty()) {
      throw StapesException.invalid(
          subject,
          "has metadata.yaml but no rootfs/: it is half of a split image, whose other file is"
              + " needed, too");
    }
    return metadata.get();
  }

  /** Whether it is the file of a disk: no archive, and of a known format or one to boot from. */
  private boolean isDisk(Path file) {
    byte[] start;
    try (InputStream in = new FileInputStream(file.toFile())) {
      start = in.readNBytes(Compression.PEEK);
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be read", e);
    }
    return Compression.find(start).isEmpty()
        && (Disk.isBootable(start) || Disk.hasFormat(file, subject));
  }

  /**
   * Reads the first entry, or what a disk says of itself: what is neither is refused before it is
   * kept.
   *
   * @return whether it is a disk
   */
  private boolean requireRoot(Path archive) {
    if (SquashReader.isSquash(archive)) {
      SquashReader.open(archive, ArchiveLimits.USUAL, Decoders.JAVA, Progress.NONE, "read").close();
      return false;
    }
    if (isDisk(archive)) {
      Disk.read(archive, subject);
      return true;
    }
    try (ArchiveInput in = ArchiveInput.open(archive, ArchiveLimits.USUAL, Progress.NONE, "read")) {
      if (new TarReader(in, ArchiveLimits.USUAL).next().isEmpty()) {
        throw StapesException.invalid(subject, "is an empty archive");
      }
      return false;
    }
  }
}
