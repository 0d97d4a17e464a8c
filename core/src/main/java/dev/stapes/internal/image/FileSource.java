package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.io.FileInputStream;
import java.io.FileOutputStream;
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
    Path copy = copy(file, context.work().resolve("image"), context.progress());
    Optional<Path> second =
        rootfs.map(path -> copy(path, context.work().resolve("rootfs"), context.progress()));
    return ImageArchive.fetched(copy, second, "image file " + file);
  }

  private static Path copy(Path file, Path target, Progress progress) {
    if (!Files.exists(file)) {
      throw StapesException.notFound("image file " + file);
    }
    if (!Files.isRegularFile(file)) {
      throw StapesException.invalid("image file " + file, "is no regular file");
    }
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
      return target;
    } catch (IOException e) {
      throw DiskError.of("image file " + file, "cannot be copied", e);
    }
  }
}
