package dev.stapes.linux.cgroup;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Reads and writes single files of cgroupfs. */
final class CgroupFiles {
  private CgroupFiles() {}

  /** Returns the content of a file, stripped. */
  static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new CgroupException("read", file, null, e);
    }
  }

  /**
   * Returns the content of a file, stripped; nothing if it is not there or its group went away
   * meanwhile.
   */
  static Optional<String> readIfThere(Path file) {
    try {
      return Optional.of(Files.readString(file).strip());
    } catch (NoSuchFileException gone) {
      return Optional.empty();
    } catch (IOException e) {
      // ENODEV: its group was removed after it was opened. The error's text depends on the locale.
      if (Files.notExists(file)) {
        return Optional.empty();
      }
      throw new CgroupException("read", file, null, e);
    }
  }

  /** Writes a value in one write(2); never makes a file. */
  static void write(Path file, String value) {
    try {
      Files.writeString(
          file, value, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    } catch (IOException e) {
      throw new CgroupException("write", file, value.strip(), e);
    }
  }

  /**
   * Removes a directory in one call, which {@link Files#deleteIfExists} does not.
   *
   * @return whether it is not there any more
   */
  static boolean removeIfEmpty(Path directory) {
    Syscalls sys = Syscalls.system();
    int result =
        sys.libc().unlinkat(Constants.AT_FDCWD, CString.of(directory), Constants.AT_REMOVEDIR);
    return result == 0 || sys.errno() == Errno.ENOENT;
  }

  static boolean isDirectory(Path path) {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }

  /** Returns the groups directly within a group, sorted; none if it is not there. */
  static List<Path> children(Path directory) {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream =
        Files.newDirectoryStream(directory, CgroupFiles::isDirectory)) {
      stream.forEach(children::add);
    } catch (NoSuchFileException | NotDirectoryException gone) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      throw new CgroupException("list", directory, null, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new CgroupException("list", directory, null, e);
    }
    Collections.sort(children);
    return children;
  }

  /** Returns all groups within a group, each after the one it is in. */
  static List<Path> descendants(Path directory) {
    List<Path> all = new ArrayList<>(children(directory));
    for (int i = 0; i < all.size(); i++) {
      all.addAll(children(all.get(i)));
    }
    return all;
  }
}
