package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** An image in files: one archive with everything, or one of them for the root file system. */
final class FileSource implements ImageSource {
  private static final int CHUNK = 256 << 10;

  private final Path file;
  private final Optional<Path> rootfs;

  /**
   * Nothing is read yet.
   *
   * @param rootfs the second file of a split image
   */
  FileSource(Path file, Optional<Path> rootfs) {
    this.file = file;
    this.rootfs = rootfs;
  }

  @Override
  public String describe() {
    return rootfs.map(second -> "files " + file + " and " + second).orElse("file " + file);
  }

  @Override
  public Fetched fetch(Context context) {
    // The copies are read, not the files: what was checked is what is imported.
    Path copy = copy(file, context, "image");
    Optional<Path> second = rootfs.map(path -> copy(path, context, "rootfs"));
    return ImageArchive.fetched(copy, second, "image file " + file);
  }

  private static Path copy(Path file, Context context, String name) {
    Path target = context.work().resolve(name);
    copy(file, target, "image file " + file, context.progress());
    return target;
  }

  /** NOT_FOUND, or INVALID where it is none. */
  static void requireFile(Path file, String subject) {
    if (!Files.exists(file)) {
      throw StapesException.notFound(subject);
    }
    if (!Files.isRegularFile(file)) {
      throw StapesException.invalid(subject, "is no regular file");
    }
  }

  /** Copies a file; blocks of zeros take no space in the copy. */
  static void copy(Path file, Path target, String subject, Progress progress) {
    requireFile(file, subject);
    try (InputStream in = new FileInputStream(file.toFile());
        OutputStream out = SparseFile.over(target)) {
      long total = Files.size(file);
      byte[] chunk = new byte[CHUNK];
      long done = 0;
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(
              StapesException.Kind.INTERRUPTED, subject, "copying was interrupted");
        }
        out.write(chunk, 0, count);
        done += count;
        progress.update("copy", done, total);
      }
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be copied", e);
    }
  }
}
