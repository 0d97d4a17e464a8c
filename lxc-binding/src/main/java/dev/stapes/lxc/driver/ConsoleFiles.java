package dev.stapes.lxc.driver;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * Where the monitor of a container writes the log of its console. It always finds it at the same
 * place, {@link RunFiles#console}; where the log outlives the container, a link leads from there to
 * the directory where it is kept.
 */
final class ConsoleFiles {
  /** Bytes of an old log: a start is not to wait for more. */
  private static final int MOST_COPIED = 64 << 10;

  private ConsoleFiles() {}

  /** Makes a log that goes with the container. */
  static void create(RunFiles files) throws IOException {
    create(files.consoleDirectory());
  }

  /**
   * Has the log kept, of a container that has written none yet.
   *
   * @param log the file, in a directory of its own
   */
  static void keep(RunFiles files, Path log) throws IOException {
    Path kept = directory(log);
    for (Path file : List.of(log, full(log))) {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        Files.deleteIfExists(file); // liblxc would write through a link
      }
    }
    Files.createSymbolicLink(files.consoleDirectory(), kept);
  }

  private static Path full(Path log) {
    return log.resolveSibling(log.getFileName() + ".1");
  }

  /**
   * The same where the monitor has the file open already, and nothing was written to it: it becomes
   * that which is kept. What was kept before is copied to its beginning or, where that would take
   * its time, put aside as if it were full.
   */
  static void adopt(RunFiles files, Path log) throws IOException {
    Path kept = directory(log);
    Path fresh = files.console();
    boolean isThere = Files.isRegularFile(log, LinkOption.NOFOLLOW_LINKS);
    boolean isLong = isThere && Files.size(log) > MOST_COPIED;
    if (isThere && !isLong) {
      Files.write(fresh, content(log), StandardOpenOption.APPEND);
    }
    Path coming = log.resolveSibling(log.getFileName() + ".new");
    Files.move(fresh, coming, ATOMIC_MOVE); // where that fails, nothing was put aside
    if (isLong) {
      Files.move(log, full(log), ATOMIC_MOVE);
    }
    Files.move(coming, log, ATOMIC_MOVE);
    Files.delete(files.consoleDirectory());
    Files.createSymbolicLink(files.consoleDirectory(), kept);
  }

  private static byte[] content(Path log) throws IOException {
    try (InputStream in = Files.newInputStream(log, LinkOption.NOFOLLOW_LINKS)) {
      return in.readNBytes(MOST_COPIED);
    }
  }

  private static Path directory(Path log) throws IOException {
    Path kept = log.resolveSibling("");
    if (!Files.isDirectory(kept, LinkOption.NOFOLLOW_LINKS)) {
      create(kept);
    }
    return kept;
  }

  private static void create(Path directory) throws IOException {
    Files.createDirectory(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }
}
