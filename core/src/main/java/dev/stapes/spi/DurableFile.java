package dev.stapes.spi;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A small file that is there, with all of its text, once it is written: also after a power cut. A
 * driver says in one what it is about to make. For implementations of this SPI.
 */
public final class DurableFile {
  private DurableFile() {}

  /**
   * Writes it, in place of one that is there: whole or not at all. The directory that it is in may
   * be new, too.
   *
   * @throws StapesException EXHAUSTED without room for it; INTERRUPTED, and nothing has changed;
   *     INTERNAL where it cannot be written
   */
  public static void write(Path file, String text) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw StapesException.invalid("file " + file, "it has no directory");
    }
    Path unfinished = parent.resolve("." + file.getFileName() + ".new");
    try {
      try (FileChannel channel =
          FileChannel.open(
              unfinished,
              StandardOpenOption.WRITE,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
      syncDirectory(parent);
      Path above = parent.getParent();
      if (above != null) {
        syncDirectory(above);
      }
    } catch (IOException e) {
      StapesException error = failure(file, "cannot be written", e);
      Undo.after(error, () -> delete(unfinished));
      throw error;
    }
  }

  /**
   * Removes it, for good; does nothing where there is none.
   *
   * @throws StapesException INTERNAL where it cannot be removed
   */
  public static void delete(Path file) {
    try {
      Path parent = file.toAbsolutePath().getParent();
      Files.deleteIfExists(file);
      if (parent != null && Files.isDirectory(parent)) {
        syncDirectory(parent); // a try before may have got no further than the file
      }
    } catch (IOException e) {
      throw failure(file, "cannot be removed", e);
    }
  }

  /**
   * Returns when the names in a directory are on disk, also on a thread that is interrupted, which
   * it stays.
   *
   * @throws StapesException INTERNAL
   */
  public static void sync(Path directory) {
    try {
      syncDirectory(directory);
    } catch (IOException e) {
      throw failure(directory, "cannot be written to disk", e);
    }
  }

  /** Linux can fsync(2) a directory, which Java opens for reading. */
  private static void syncDirectory(Path directory) throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
          channel.force(true);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static StapesException failure(Path file, String what, IOException e) {
    String why = String.valueOf(e.getMessage());
    boolean full = why.contains("No space left") || why.contains("quota exceeded");
    Kind other = e instanceof ClosedByInterruptException ? Kind.INTERRUPTED : Kind.INTERNAL;
    return new StapesException(full ? Kind.EXHAUSTED : other, "file " + file, what + ": " + why, e);
  }
}
