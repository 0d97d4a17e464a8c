package dev.stapes.internal.image;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource.Blob;
import dev.stapes.spi.Tree;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of the archives, as Incus has it: {@code <fingerprint>} for each image, {@code
 * <fingerprint>.rootfs} for the second file of a split one, {@code .work-<unique>} for what is on
 * its way, {@code .cache} for what sources may need again, {@code .blobs} for the parts of OCI
 * images, which are named by their digests and shared.
 */
final class ImageFiles {
  private static final Logger LOG = LoggerFactory.getLogger(ImageFiles.class);
  private static final String WORK = ".work-";
  private static final String CACHE = ".cache";
  private static final String BLOBS = ".blobs";
  private static final Duration CACHED = Duration.ofDays(10);
  private static final String ROOTFS = ".rootfs";
  private static final String EXPORTED_ROOTFS = ".root";
  private static final String SUBJECT = "image store";
  private static final int CHUNK = 256 << 10;

  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Path directory;
  private final Host host;

  private ImageFiles(Path directory, Host host) {
    this.directory = directory;
    this.host = host;
  }

  /**
   * Opens the directory, making it where it does not exist, and removes what a crash left.
   *
   * @param known whether a fingerprint is that of an image
   */
  static ImageFiles open(Path directory, Host host, InstantSource clock, Predicate<String> known) {
    try {
      ImageFiles files = new ImageFiles(directory, host);
      Files.createDirectories(files.cache(), PRIVATE);
      Files.createDirectories(files.directory.resolve(BLOBS), PRIVATE);
      files.removeOld(clock.instant().minus(CACHED));
      try (Stream<Path> entries = Files.list(directory)) {
        for (Path entry : entries.toList()) {
          String name = entry.getFileName().toString();
          String fingerprint =
              name.endsWith(ROOTFS) ? name.substring(0, name.length() - ROOTFS.length()) : name;
          if (name.startsWith(WORK)
              || (ImageCatalog.FINGERPRINT.matcher(fingerprint).matches()
                  && !known.test(fingerprint))) {
            files.collect(entry);
          }
        }
      }
      return files;
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot open " + directory, e);
    }
  }

  /** Where they are. */
  Path directory() {
    return directory;
  }

  /** What sources keep. */
  Path cache() {
    return directory.resolve(CACHE);
  }

  private void removeOld(Instant latest) throws IOException {
    try (Stream<Path> entries = Files.list(cache())) {
      for (Path entry : entries.toList()) {
        if (isFile(entry) && Files.getLastModifiedTime(entry).toInstant().isBefore(latest)) {
          Files.delete(entry);
        }
      }
    }
  }

  /** A new empty directory, to be given back to {@link #collect}. */
  Path work() {
    try {
      return Files.createDirectory(directory.resolve(WORK + UUID.randomUUID()), PRIVATE);
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot make a work directory", e);
    }
  }

  /**
   * Removes something with everything below it, also while the thread is interrupted. What cannot
   * be removed is logged, and tried again at the next open.
   */
  void collect(Path path) {
    boolean interrupted = Thread.interrupted();
    try (Tree tree = host.tree(directory, Tree.Resolution.BENEATH)) {
      tree.removeAll(path.getFileName().toString());
    } catch (StapesException e) {
      LOG.warn("{} could not be removed, the next open tries again", path, e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  Path archive(String fingerprint) {
    return directory.resolve(fingerprint);
  }

  private Path rootfs(String fingerprint) {
    return directory.resolve(fingerprint + ROOTFS);
  }

  private Path blob(String digest) {
    return directory.resolve(BLOBS).resolve(digest);
  }

  /** The files of an image, whether they are there or not. */
  ImageParts parts(String fingerprint, ImageForm form) {
    return new ImageParts(
        archive(fingerprint),
        form.split() ? Optional.of(rootfs(fingerprint)) : Optional.empty(),
        form.parts().stream()
            .map(part -> new Blob(part.digest(), blob(part.digest()), part.layer()))
            .toList());
  }

  /** Whether the files of an image are there. */
  boolean exists(String fingerprint, ImageForm form) {
    return parts(fingerprint, form).all().stream().allMatch(ImageFiles::isFile);
  }

  /** See {@link dev.stapes.spi.ImageSource.Blobs#link}. */
  boolean linkBlob(String digest, Path target) {
    if (!ImageCatalog.FINGERPRINT.matcher(digest).matches()) {
      throw StapesException.invalid("digest", "not a SHA-256: \"" + digest + "\"");
    }
    try {
      Files.createLink(target, blob(digest));
      return true;
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot link " + blob(digest), e);
    }
  }

  /**
   * Removes the parts that no image has.
   *
   * @param wanted is asked for the digests of all that images have, unless there are no parts
   */
  void retainBlobs(Supplier<Set<String>> wanted) {
    try (Stream<Path> list = Files.list(directory.resolve(BLOBS))) {
      List<Path> blobs = list.toList();
      Set<String> digests = blobs.isEmpty() ? Set.of() : wanted.get();
      for (Path blob : blobs) {
        if (!digests.contains(blob.getFileName().toString())) {
          Files.deleteIfExists(blob);
        }
      }
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot remove parts that no image has", e);
    }
  }

  private static boolean isFile(Path path) {
    return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
  }

  /** The SHA-256 of the files one after the other, and the files themselves on stable storage. */
  static String fingerprint(ImageParts parts, Progress progress) {
    try {
      MessageDigest digest = Sha256.begin();
      long total = 0;
      for (Path file : parts.hashed()) {
        total += Files.size(file);
      }
      long done = 0;
      for (Path file : parts.hashed()) {
        done = digest(file, digest, done, total, progress);
      }
      for (Path file : parts.all()) {
        force(file);
      }
      return Sha256.hex(digest);
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot read " + parts.archive(), e);
    }
  }

  private static long digest(
      Path file, MessageDigest digest, long before, long total, Progress progress)
      throws IOException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      byte[] chunk = new byte[CHUNK];
      long done = before;
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(
              StapesException.Kind.INTERRUPTED, SUBJECT, "the import was interrupted");
        }
        digest.update(chunk, 0, count);
        done += count;
        progress.update("hash", done, total);
      }
      return done;
    }
  }

  /** The bytes of all files. */
  static long size(ImageParts parts) throws IOException {
    long size = 0;
    for (Path file : parts.all()) {
      size += Files.size(file);
    }
    return size;
  }

  /** Puts the files of an image into their places, durably. */
  void place(ImageParts parts, String fingerprint) {
    try {
      for (Blob blob : parts.blobs()) {
        if (!isFile(blob(blob.digest()))) {
          place(blob.file(), blob(blob.digest()));
        }
      }
      if (!parts.blobs().isEmpty()) {
        force(directory.resolve(BLOBS));
      }
      if (parts.rootfs().isPresent()) {
        place(parts.rootfs().get(), rootfs(fingerprint));
      }
      place(parts.archive(), archive(fingerprint));
      force(directory);
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot move " + parts.archive() + " into place", e);
    }
  }

  private static void place(Path file, Path target) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
  }

  void delete(String fingerprint) {
    try {
      Files.deleteIfExists(archive(fingerprint));
      Files.deleteIfExists(rootfs(fingerprint));
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot delete " + archive(fingerprint), e);
    }
  }

  /**
   * Copies the files of an image; the target appears whole or not at all. The second file of a
   * split one is beside it, as with Incus: {@code <target>.root}, and appears before it. An OCI
   * image becomes one file.
   */
  void export(ImageInfo image, ImageParts parts, Path target, Progress progress) {
    String subject = ImageCatalog.subject(image.fingerprint());
    Path absolute = target.toAbsolutePath();
    Path rootfs = absolute.resolveSibling(absolute.getFileName() + EXPORTED_ROOTFS);
    try {
      if (!parts.blobs().isEmpty()) {
        LayoutArchive archive = new LayoutArchive(image, parts, progress);
        exportFile(absolute, archive::write);
        return;
      }
      if (parts.rootfs().isEmpty()) {
        exportFile(absolute, partial -> copy(parts.archive(), partial, progress));
        return;
      }
      requireAbsent(absolute);
      exportFile(rootfs, partial -> copy(parts.rootfs().get(), partial, progress));
      boolean done = false;
      try {
        exportFile(absolute, partial -> copy(parts.archive(), partial, progress));
        done = true;
      } finally {
        if (!done) {
          Files.deleteIfExists(rootfs);
        }
      }
    } catch (FileAlreadyExistsException e) {
      throw new StapesException(
          StapesException.Kind.CONFLICT,
          subject,
          "cannot be exported: " + e.getMessage() + " exists",
          e);
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be exported to " + absolute, e);
    }
  }

  private static void requireAbsent(Path path) throws IOException {
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(path.toString());
    }
  }

  /** Writes a file that does not exist. */
  private interface Writing {
    void write(Path file) throws IOException;
  }

  private static void exportFile(Path target, Writing writing) throws IOException {
    Path partial = target.resolveSibling(target.getFileName() + ".partial-" + UUID.randomUUID());
    try {
      writing.write(partial);
      force(partial);
      requireAbsent(target);
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private static void copy(Path archive, Path target, Progress progress) throws IOException {
    try (InputStream in = new FileInputStream(archive.toFile());
        OutputStream out = SparseFile.create(target)) {
      long total = Files.size(archive);
      byte[] chunk = new byte[CHUNK];
      long done = 0;
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(
              StapesException.Kind.INTERRUPTED, SUBJECT, "the export was interrupted");
        }
        out.write(chunk, 0, count);
        done += count;
        progress.update("copy", done, total);
      }
    }
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
