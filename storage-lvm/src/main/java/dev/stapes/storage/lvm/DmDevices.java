package dev.stapes.storage.lvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Devices of device-mapper, as sysfs shows them. */
final class DmDevices {
  private DmDevices() {}

  /**
   * What a device lies on, by the names of the kernel, such as {@code loop3}.
   *
   * @param sysfs usually {@code /sys}
   * @param name that device-mapper has for it
   * @return empty where there is no such device
   */
  static Optional<Set<String>> below(Path sysfs, String name) {
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(sysfs.resolve("block"), "dm-*")) {
      for (Path device : devices) {
        if (name.equals(name(device))) {
          return Optional.of(names(device.resolve("slaves")));
        }
      }
      return Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty(); // it went meanwhile, or there is none at all
    } catch (IOException e) {
      throw new UncheckedIOException(sysfs + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Empty where the device went meanwhile. */
  private static String name(Path device) throws IOException {
    try {
      return Files.readString(device.resolve("dm/name")).strip();
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static Set<String> names(Path directory) throws IOException {
    Set<String> names = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    }
    return names;
  }
}
