package dev.stapes.qemu.driver;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** What the kernel says of the devices of the host, in small files and links. */
final class HostSysfs {
  private HostSysfs() {}

  /** The last part of a path. */
  static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  /** The content of a small file; empty where there is none. */
  static String text(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw IoFailure.of("host", file.toString(), e);
    }
  }

  /** What a link leads to; empty where there is none. */
  static Optional<Path> target(Path link) {
    try {
      return Optional.of(link.toRealPath());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw IoFailure.of("host", link.toString(), e);
    }
  }

  /**
   * What is in a directory, by name; nothing where there is none.
   *
   * @param pattern of the names
   */
  static List<Path> children(Path directory, String pattern) {
    Predicate<String> wanted = Pattern.compile(pattern).asMatchPredicate();
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      all.forEach(
          each -> {
            if (wanted.test(name(each))) {
              found.add(each);
            }
          });
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of(); // the kernel has nothing of that kind
    } catch (IOException e) {
      throw IoFailure.of("host", directory.toString(), e);
    }
    found.sort(null);
    return found;
  }
}
