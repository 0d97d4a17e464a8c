package dev.stapes.internal.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
  record Opened(Object key, SeekableByteChannel channel) {}

  /** What it was before. */
  Path before() {
    return current.resolveSibling(current.getFileName() + ".1");
  }

  /** The identity of the file that has a name now; empty: there is none. */
  static Optional<Object> key(Path file) throws IOException {
    try {
      BasicFileAttributes its =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return its.isRegularFile() ? Optional.of(its.fileKey()) : Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
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
        SeekableByteChannel channel =
            Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
        if (key(file).equals(key)) {
          return Optional.of(new Opened(key.get(), channel));
        }
        channel.close();
      } catch (NoSuchFileException e) {
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
    try (SeekableByteChannel channel = opened.get().channel()) {
      long size = channel.size();
      ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(size, most));
      channel.position(size - bytes.capacity());
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
        // until it is full
      }
      return Arrays.copyOf(bytes.array(), bytes.position());
    }
  }
}
