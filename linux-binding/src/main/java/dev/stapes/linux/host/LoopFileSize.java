package dev.stapes.linux.host;

import dev.stapes.linux.Kernel;
import dev.stapes.linux.block.LoopFile;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** How large the file of a pool is made. */
public final class LoopFileSize {
  private LoopFileSize() {}

  /**
   * The size of a new one.
   *
   * @param subject for errors
   * @param directory where it is made
   * @param wanted what somebody asked for; empty: the {@linkplain LoopFile#usualSize usual} one
   * @param least what it must have
   * @throws StapesException INVALID where too little is wanted; EXHAUSTED where too little is free
   */
  public static Size of(
      Syscalls sys, String subject, Path directory, Optional<Size> wanted, Size least) {
    Size size = wanted.orElseGet(() -> usual(sys, subject, directory, least));
    if (size.compareTo(least) < 0) {
      throw StapesException.invalid(
          subject, "size must be at least " + least + ": \"" + size + "\"");
    }
    return size;
  }

  private static Size usual(Syscalls sys, String subject, Path directory, Size least) {
    long available = new Kernel(sys).fileSystem(directory).available();
    OptionalLong size = LoopFile.usualSize(available, least.bytes());
    return Size.ofBytes(
        size.orElseThrow(
            () ->
                new StapesException(
                    Kind.EXHAUSTED,
                    subject,
                    "no room for a loop file: "
                        + Size.ofBytes(available).toDisplay()
                        + " free in "
                        + directory)));
  }
}
