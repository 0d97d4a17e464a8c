package dev.stapes.benchmarks.unpack;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * How much there is in a directory.
 *
 * @param entries all that is below it, of whatever kind
 * @param bytes of its files, those of several names counted by each
 */
record Contents(long entries, long bytes) {
  /** Counts; links are not followed. */
  static Contents of(Path directory) throws IOException {
    Counting counting = new Counting();
    Files.walkFileTree(directory, counting);
    return new Contents(counting.entries - 1, counting.bytes);
  }

  /** In words. */
  @Override
  public String toString() {
    return entries + " entries, " + (bytes + 500_000) / 1_000_000 + " MB";
  }

  /** Counts the directory itself, too. */
  private static final class Counting extends SimpleFileVisitor<Path> {
    private long entries;
    private long bytes;

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      entries++;
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      entries++;
      bytes += attributes.isRegularFile() ? attributes.size() : 0;
      return FileVisitResult.CONTINUE;
    }
  }
}
