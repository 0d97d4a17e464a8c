package dev.stapes.internal.engine;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A log in two files: one that is appended to, and what it was before it was full, beside it with
 * {@code .1} after its name. Whoever writes it takes turns with the files at any time. Links are
 * not followed.
 *
 * @param current the file that is appended to
 */
record LogFiles(Path current) {
  private static final int ATTEMPTS = 10;

  /**
   * A file that stays the same under whatever name it gets.
   *
   * @param key its identity
   */
  record Opened(Object key, RandomAccessFile file) {}

  /** What it was before. */
  Path before() {
    return current.resolveSibling(current.getFileName() + ".1");
  }

  /** What takes the place of the current one. */
  Path coming() {
    return current.resolveSibling(current.getFileName() + ".new");
  }

  /** The identity of the file that has a name now; empty: there is none. */
  static Optional<Object> key(Path file) throws IOException {
    try {
      BasicFileAttributes its =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return its.isRegularFile() ? Optional.of(its.fileKey()) : Optional.empty();
    } catch (NoSuchFileException e) {
      requireDirectory(file.resolveSibling(""));
      return Optional.empty();
    }
  }

  /** Not every JDK says so of a file in it; one that is gone is no error. */
  private static void requireDirectory(Path directory) throws IOException {
    try {
      if (!Files.readAttributes(directory, BasicFileAttributes.class).isDirectory()) {
        throw new NotDirectoryException(directory.toString());
      }
    } catch (NoSuchFileException e) {
      // it is gone, too
    }
  }

  /** Opens the file that has a name now; empty: there is none, or another one each time. */
  static Optional<Opened> open(Path file) throws IOException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Optional<Object> key = key(file);
      if (key.isEmpty()) {
        return Optional.empty();
      }
      try {
        // Not a channel: an interrupt would close it. A link would have no key.
        RandomAccessFile opened = new RandomAccessFile(file.toFile(), "r");
        if (key(file).equals(key)) {
          return Optional.of(new Opened(key.get(), opened));
        }
        opened.close();
      } catch (FileNotFoundException e) {
        // it has just got its other name
      }
    }
    return Optional.empty();
  }

  /**
   * Its end.
   *
   * @param most bytes
   */
  byte[] end(int most) throws IOException {
    byte[] read = new byte[0];
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      List<Optional<Object>> keys = List.of(key(before()), key(current));
      byte[] now = end(current, most);
      ByteArrayOutputStream both = new ByteArrayOutputStream();
      both.writeBytes(end(before(), most - now.length));
      both.writeBytes(now);
      read = both.toByteArray();
      if (keys.equals(List.of(key(before()), key(current)))) {
        break;
      }
    }
    return read;
  }

  private static byte[] end(Path file, int most) throws IOException {
    Optional<Opened> opened = open(file);
    if (opened.isEmpty()) {
      return new byte[0];
    }
    try (RandomAccessFile content = opened.get().file()) {
      long size = content.length();
      byte[] bytes = new byte[(int) Math.min(size, most)];
      content.seek(size - bytes.length);
      int done = 0;
      int count = 0;
      while (done < bytes.length && count >= 0) {
        count = content.read(bytes, done, bytes.length - done);
        done += Math.max(count, 0);
      }
      return Arrays.copyOf(bytes, done);
    }
  }
}
