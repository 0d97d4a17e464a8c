package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of the archives: {@code <fingerprint>} for each image, {@code .work-<unique>} for
 * what is on its way.
 */
final class ImageFiles {
  private static final Logger LOG = LoggerFactory.getLogger(ImageFiles.class);
  private static final String WORK = ".work-";
  private static final String SUBJECT = "image store";
  private static final int CHUNK = 256 << 10;

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
  static ImageFiles open(Path directory, Host host, Predicate<String> known) {
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      ImageFiles files = new ImageFiles(directory, host);
      try (Stream<Path> entries = Files.list(directory)) {
        for (Path entry : entries.toList()) {
          String name = entry.getFileName().toString();
          if (name.startsWith(WORK)
              || (ImageCatalog.FINGERPRINT.matcher(name).matches() && !known.test(name))) {
            files.collect(entry);
          }
        }
      }
      return files;
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot open " + directory, e);
    }
  }

  /** A new empty directory, to be given back to {@link #collect}. */
  Path work() {
    try {
      return Files.createDirectory(
          directory.resolve(WORK + UUID.randomUUID()),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
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

  boolean exists(String fingerprint) {
    return Files.isRegularFile(archive(fingerprint), LinkOption.NOFOLLOW_LINKS);
  }

  /** The SHA-256 of a file, and the file itself on stable storage. */
  static String fingerprint(Path archive, Progress progress) {
    try (InputStream in = new FileInputStream(archive.toFile())) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      long total = Files.size(archive);
      byte[] chunk = new byte[CHUNK];
      long done = 0;
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(
              StapesException.Kind.INTERRUPTED, SUBJECT, "the import was interrupted");
        }
        digest.update(chunk, 0, count);
        done += count;
        progress.update("hash", done, total);
      }
      force(archive);
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot read " + archive, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  /** Puts an archive into its place, durably. */
  void place(Path archive, String fingerprint) {
    try {
      Files.setPosixFilePermissions(archive, PosixFilePermissions.fromString("rw-------"));
      Files.move(archive, archive(fingerprint), StandardCopyOption.ATOMIC_MOVE);
      force(directory);
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot move " + archive + " into place", e);
    }
  }

  void delete(String fingerprint) {
    try {
      Files.deleteIfExists(archive(fingerprint));
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot delete " + archive(fingerprint), e);
    }
  }

  /** Copies an archive; the target appears whole or not at all. */
  void export(String fingerprint, Path target, Progress progress) {
    Path absolute = target.toAbsolutePath();
    Path partial =
        absolute.resolveSibling(absolute.getFileName() + ".partial-" + UUID.randomUUID());
    try {
      try {
        copy(archive(fingerprint), partial, progress);
        force(partial);
        if (Files.exists(absolute, LinkOption.NOFOLLOW_LINKS)) {
          throw new FileAlreadyExistsException(absolute.toString());
        }
        Files.move(partial, absolute, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(partial);
      }
    } catch (FileAlreadyExistsException e) {
      throw new StapesException(
          StapesException.Kind.CONFLICT,
          ImageCatalog.subject(fingerprint),
          "cannot be exported: " + absolute + " exists",
          e);
    } catch (IOException e) {
      throw DiskError.of(ImageCatalog.subject(fingerprint), "cannot be exported to " + absolute, e);
    }
  }

  private static void copy(Path archive, Path target, Progress progress) throws IOException {
    try (InputStream in = new FileInputStream(archive.toFile());
        OutputStream out = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW)) {
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
