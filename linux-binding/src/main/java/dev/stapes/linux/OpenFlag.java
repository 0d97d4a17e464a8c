package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import java.util.Set;

/** How to open a file; see open(2). {@code O_CLOEXEC} is always added. */
public enum OpenFlag {
  /** {@code O_RDONLY}; with {@link #WRITE} {@code O_RDWR}. The default if neither is given. */
  READ(0),
  /** {@code O_WRONLY}; with {@link #READ} {@code O_RDWR}. */
  WRITE(0),
  CREATE(Constants.O_CREAT),
  EXCLUSIVE(Constants.O_EXCL),
  TRUNCATE(Constants.O_TRUNC),
  APPEND(Constants.O_APPEND),
  DIRECTORY(Constants.O_DIRECTORY),
  NO_FOLLOW(Constants.O_NOFOLLOW),
  NON_BLOCKING(Constants.O_NONBLOCK),
  /** Past the page cache; fails with {@code EINVAL} where a file system cannot do that. */
  DIRECT(Constants.O_DIRECT),
  /** The file's place only: no permission to read is needed and no device or FIFO is touched. */
  PATH_ONLY(Constants.O_PATH);

  private final int bits;

  OpenFlag(int bits) {
    this.bits = bits;
  }

  static int bits(Set<OpenFlag> flags) {
    int bits = Constants.O_CLOEXEC | Constants.O_NOCTTY;
    if (flags.contains(PATH_ONLY)) {
      bits = Constants.O_CLOEXEC; // openat2 refuses flags that O_PATH ignores
    } else if (flags.contains(WRITE)) {
      bits |= flags.contains(READ) ? Constants.O_RDWR : Constants.O_WRONLY;
    }
    for (OpenFlag flag : flags) {
      bits |= flag.bits;
    }
    return bits;
  }
}
