package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceId;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * The directory of a virtual machine while it runs: QEMU's working directory, so that the names of
 * its sockets are short whatever the path of the directory is.
 *
 * @param id whose it is
 * @param name by which its process is found, global to the machine
 * @param directory of the run directory
 */
record VmFiles(InstanceId id, String name, Path directory) {
  /** Socket of the monitor. */
  static final String MONITOR = "qmp";

  /** Socket of the guest agent. */
  static final String AGENT = "agent";

  /** Socket of the first serial port. */
  static final String CONSOLE = "console";

  /** Socket of the display. */
  static final String VNC = "vnc";

  private static final String PREFIX = "stapes-";

  /** Those of an instance, whether they exist or not. */
  static VmFiles of(Scope scope, InstanceId id) {
    return new VmFiles(
        id, PREFIX + scope.tag() + "-" + id.value(), scope.runDirectory().resolve(id.value()));
  }

  /** Those of all instances that have any. */
  static List<VmFiles> all(Scope scope) throws IOException {
    List<VmFiles> all = new ArrayList<>();
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(scope.runDirectory())) {
      for (Path directory : directories) {
        String id = directory.getFileName().toString();
        if (id.matches("[a-z0-9]{4,32}")) {
          all.add(of(scope, new InstanceId(id)));
        }
      }
    }
    return all;
  }

  /** What the names of all virtual machines of a scope start with. */
  static String prefix(Scope scope) {
    return PREFIX + scope.tag() + "-";
  }

  Path log() {
    return directory.resolve("log");
  }

  Path monitor() {
    return directory.resolve(MONITOR);
  }

  Path agent() {
    return directory.resolve(AGENT);
  }

  Path console() {
    return directory.resolve(CONSOLE);
  }

  /** What it writes to its console, of one that is gone with its JVM. */
  Path consoleLog() {
    return directory.resolve(Scope.CONSOLE_LOG);
  }

  /** Makes the directory, which nobody else may enter. */
  void create() throws IOException {
    Files.createDirectory(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /** Removes the directory, if it is there. It has no directories. */
  void remove() throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(directory);
  }
}
