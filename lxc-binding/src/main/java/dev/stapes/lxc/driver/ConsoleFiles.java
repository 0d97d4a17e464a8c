package dev.stapes.lxc.driver;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Where the monitor of a container writes the log of its console. It always finds it at the same
 * place, {@link RunFiles#console}; where the log outlives the container, a link leads from there to
 * the directory where it is kept.
 */
final class ConsoleFiles {
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
    Files.createSymbolicLink(files.consoleDirectory(), directory(log));
  }

  /**
   * The same where the monitor has the file open already, and nothing was written to it: it becomes
   * that which is kept, with what was kept before at its beginning.
   */
  static void adopt(RunFiles files, Path log) throws IOException {
    Path kept = directory(log);
    Path fresh = files.console();
    if (Files.isRegularFile(log, LinkOption.NOFOLLOW_LINKS)) {
      append(log, fresh);
    }
    Files.move(fresh, log, StandardCopyOption.ATOMIC_MOVE);
    Files.delete(files.consoleDirectory());
    Files.createSymbolicLink(files.consoleDirectory(), kept);
  }

  private static void append(Path from, Path to) throws IOException {
    try (FileChannel source =
            FileChannel.open(from, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE)) {
      target.position(target.size());
      long size = source.size();
      long done = 0;
      while (done < size) {
        long count = source.transferTo(done, size - done, target);
        if (count <= 0) {
          break; // somebody has cut it meanwhile
        }
        done += count;
      }
    }
  }

  private static Path directory(Path log) throws IOException {
    Path kept = log.resolveSibling("");
    try {
      create(kept);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(kept, LinkOption.NOFOLLOW_LINKS)) {
        throw e;
      }
    }
    return kept;
  }

  private static void create(Path directory) throws IOException {
    Files.createDirectory(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }
}
