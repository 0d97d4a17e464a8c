package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The small file in a pool's directory that says which thin pool is its own. */
final class PoolMark {
  private static final Pattern FORM = Pattern.compile("stapes-lvm 1 (stapes_[0-9a-f]{32})\n");

  private final PoolContext pool;
  private final Path file;

  PoolMark(PoolContext pool) {
    this.pool = pool;
    this.file = pool.directory().resolve("thin-pool");
  }

  /** Writes it. */
  void write(String mark) {
    try {
      Files.writeString(file, "stapes-lvm 1 " + mark + "\n", StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  /**
   * Reads it.
   *
   * @throws StapesException UNAVAILABLE where there is none
   */
  String read() {
    try {
      Matcher matcher = FORM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
      if (!matcher.matches()) {
        throw pool.failure(Kind.UNAVAILABLE, file + ": names no thin pool");
      }
      return matcher.group(1);
    } catch (IOException e) {
      throw pool.failure(
          Kind.UNAVAILABLE, "no pool in " + pool.directory() + ": " + file + " cannot be read", e);
    }
  }

  /** Removes it. */
  void delete() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be removed: " + e.getMessage(), e);
    }
  }
}
