package dev.stapes.internal.image.oci;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Files by name, of a directory or an archive of unknown origin: nothing outside is ever reached.
 */
interface LocalFiles extends AutoCloseable {
  /** How much of a file {@link #start} tells. */
  int START = 4;

  /** The name that a file is read by; empty where there is none. */
  Optional<String> find(String name);

  /** All bytes of a small file that was found; INVALID where it has more than {@code most}. */
  byte[] read(String found, int most);

  /** The first bytes of a file that was found. */
  byte[] start(String found);

  /** Copies files that were found, in whatever order. */
  Map<String, Copied> copy(Map<String, Wanted> wanted);

  @Override
  void close();

  /**
   * How a file is wanted.
   *
   * @param target does not exist
   * @param most bytes of it; what has more is INVALID
   */
  record Wanted(Path target, long most) {}

  /**
   * What has come.
   *
   * @param sha256 64 lower-case hex digits
   */
  record Copied(Path file, long size, String sha256) {}
}
