package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.ImageSource.Blob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of an image.
 *
 * @param archive of a unified image all of it, of a split one all but the root file system, of an
 *     OCI image its manifest
 * @param rootfs the root file system of a split image
 * @param blobs of an OCI image
 */
public record ImageParts(Path archive, Optional<Path> rootfs, List<Blob> blobs) {
  /** Copies. */
  public ImageParts {
    blobs = List.copyOf(blobs);
  }

  /** Of a unified or a split image. */
  public ImageParts(Path archive, Optional<Path> rootfs) {
    this(archive, rootfs, List.of());
  }

  /**
   * Of what a source has brought.
   *
   * @param work the directory that it was to bring it to
   * @param source in words
   * @throws StapesException INVALID where it is elsewhere
   */
  static ImageParts of(ImageSource.Fetched fetched, Path work, String source) {
    List<Blob> blobs = new ArrayList<>();
    for (Blob blob : fetched.blobs()) {
      blobs.add(new Blob(blob.digest(), checked(blob.file(), work, source), blob.layer()));
    }
    return new ImageParts(
        checked(fetched.archive(), work, source),
        fetched.rootfs().map(rootfs -> checked(rootfs, work, source)),
        blobs);
  }

  private static Path checked(Path archive, Path work, String source) {
    Path normal = archive.toAbsolutePath().normalize();
    if (!normal.startsWith(work.toAbsolutePath().normalize())
        || !Files.isRegularFile(normal, LinkOption.NOFOLLOW_LINKS)) {
      throw new StapesException(
          Kind.INVALID,
          "image source " + source,
          "brought no file below its work directory: " + archive);
    }
    return normal;
  }

  /** Of all files. */
  Size size() {
    try {
      return Size.ofBytes(ImageFiles.size(this));
    } catch (IOException e) {
      throw DiskError.of("image store", "cannot read " + archive, e);
    }
  }

  /** The files that make the fingerprint, in the order in which they are hashed. */
  List<Path> hashed() {
    return Stream.concat(Stream.of(archive), rootfs.stream()).toList();
  }

  /** All files. */
  List<Path> all() {
    return Stream.concat(hashed().stream(), blobs.stream().map(Blob::file)).toList();
  }

  /** The layers of an OCI image, from the lowest on. */
  List<Path> layers() {
    return blobs.stream().filter(Blob::layer).map(Blob::file).toList();
  }

  /**
   * The root file system, where it can be mounted.
   *
   * @throws StapesException UNSUPPORTED where it is something else
   */
  Path squashfs(String subject) {
    if (rootfs.isPresent() && !Files.isReadable(rootfs.get())) {
      throw new StapesException(
          Kind.INTERNAL, subject, "cannot be mounted: its file cannot be read: " + rootfs.get());
    }
    return rootfs
        .filter(SquashReader::isSquash)
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED,
                    subject,
                    "cannot be mounted: its root file system is no squashfs"));
  }

  /** What they are. */
  ImageForm form() {
    return new ImageForm(
        rootfs.isPresent(),
        blobs.stream().map(blob -> new ImageForm.Part(blob.digest(), blob.layer())).toList());
  }
}
