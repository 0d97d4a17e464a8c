package dev.stapes.lxc.ffi;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The lock files that liblxc makes for every container it is asked about, and never removes: {@code
 * /run/lxc/lock/<lxcpath>/.<name>}.
 */
public final class LockFiles {
  private static final Path LOCKS = Path.of("/run/lxc/lock");
  private static final int ATTEMPTS = 1000;

  private LockFiles() {}

  /**
   * Makes the directory of the locks of a path. Without it liblxc makes it at its first question,
   * and gives up where somebody, like {@link #remove(Path)}, takes an empty directory above it away
   * at that moment. Once it is there only {@link #remove(Path)} of the same path removes it.
   *
   * @param lxcPath absolute, as it will be given to {@link Liblxc#container}
   */
  public static void prepare(Path lxcPath) throws IOException {
    Path directory = directory(lxcPath);
    for (int attempt = 1; ; attempt++) {
      try {
        Files.createDirectories(directory);
        return;
      } catch (NoSuchFileException | FileAlreadyExistsException e) {
        if (attempt == ATTEMPTS || Files.isRegularFile(directory)) {
          throw e;
        }
      }
    }
  }

  /**
   * Removes those of all containers of a path that no process uses any more, and the directories
   * that become empty. Does nothing where there are none.
   *
   * @param lxcPath absolute, as it was given to {@link Liblxc#container}
   */
  public static void remove(Path lxcPath) throws IOException {
    Path directory = directory(lxcPath);
    if (!directory.startsWith(LOCKS) || directory.equals(LOCKS) || !Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, ".*")) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    for (Path empty = directory; !empty.equals(LOCKS); empty = empty.resolve("..").normalize()) {
      try {
        Files.delete(empty);
      } catch (DirectoryNotEmptyException | NoSuchFileException e) {
        return; // somebody else's, or gone already
      }
    }
  }

  /** Removes that of one container, if there is one. */
  public static void remove(Path lxcPath, String container) throws IOException {
    Files.deleteIfExists(directory(lxcPath).resolve("." + container));
  }

  /**
   * Holds the lock of a container. Who loads its configuration from its usual place waits until the
   * answer is closed, or this JVM has ended.
   *
   * @throws IOException also where somebody else holds it
   */
  public static Closeable hold(Path lxcPath, String container) throws IOException {
    prepare(lxcPath);
    FileChannel file =
        FileChannel.open(
            directory(lxcPath).resolve("." + container),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE);
    boolean held = false;
    try {
      // Of the process; those of liblxc are of an open file (F_OFD_SETLKW, fcntl(2)). They exclude
      // each other.
      held = file.tryLock() != null;
      if (!held) {
        throw new IOException("the lock of container " + container + " is held by another process");
      }
      return file;
    } finally {
      if (!held) {
        file.close();
      }
    }
  }

  private static Path directory(Path lxcPath) {
    return LOCKS.resolve(lxcPath.toString().substring(1)).normalize();
  }
}
