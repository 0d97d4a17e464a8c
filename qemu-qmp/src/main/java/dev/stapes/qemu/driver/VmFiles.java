package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceId;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

  /** Socket of the display where it is SPICE's. */
  static final String SPICE = "spice";

  private static final String PREFIX = "stapes-";
  private static final String SHARES = "_shares";

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
        String id = directory.getFileName().toString().replaceFirst(SHARES + "$", "");
        if (isId(id) && all.stream().noneMatch(each -> each.id().value().equals(id))) {
          all.add(of(scope, new InstanceId(id)));
        }
      }
    }
    return all;
  }

  private static boolean isId(String text) {
    return text.matches("[a-z0-9]{4,32}");
  }

  /** Whether a process that is called so can be a virtual machine of a scope. */
  static boolean isName(Scope scope, String name) {
    String prefix = prefix(scope);
    return name.startsWith(prefix) && isId(name.substring(prefix.length()));
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

  /** Beside it, for what is between it and the host: QEMU may not enter there. */
  Path shares() {
    return directory.resolveSibling(directory.getFileName() + SHARES);
  }

  /** Makes the directory, which nobody else may enter. */
  void create() throws IOException {
    Files.createDirectory(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /** Makes the directory beside it, unless it is there. */
  void createShares() throws IOException {
    if (!Files.isDirectory(shares(), LinkOption.NOFOLLOW_LINKS)) {
      try {
        Files.createDirectory(
            shares(),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException e) {
        // somebody else was faster
      }
    }
  }

  /**
   * Removes the directories, if they are there, with whatever QEMU has put there, and takes from
   * its user what the host has given it.
   *
   * @param groups of the host
   */
  void remove(VfioGroups groups) throws IOException {
    if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      groups.takeFromOwnerOf(directory);
    }
    remove(directory);
    remove(shares());
  }

  private static void remove(Path directory) throws IOException {
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException error)
              throws IOException {
            if (error != null) {
              throw error;
            }
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
