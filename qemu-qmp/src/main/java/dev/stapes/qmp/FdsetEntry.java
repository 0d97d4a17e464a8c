package dev.stapes.qmp;

import java.nio.file.Path;

/**
 * A descriptor that QEMU has been given, in a set of those of the same file.
 *
 * @param fdset the number of the set
 * @param fd the number that the descriptor has in QEMU
 */
public record FdsetEntry(long fdset, long fd) {
  /** What stands for it where QEMU takes the name of a file. */
  public Path path() {
    return Path.of("/dev/fdset/" + fdset);
  }
}
