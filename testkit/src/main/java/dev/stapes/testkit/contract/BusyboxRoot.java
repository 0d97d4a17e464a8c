package dev.stapes.testkit.contract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** The root file system that instances of a contract run start from. Never instantiated. */
final class BusyboxRoot {
  private static final List<String> DIRECTORIES =
      List.of(
          "bin",
          "dev",
          "etc",
          "home",
          "home/user",
          "mnt",
          "proc",
          "root",
          "run",
          "sbin",
          "sys",
          "tmp",
          "var");

  private static final List<String> APPLETS =
      List.of(
          "cat",
          "chmod",
          "dd",
          "echo",
          "env",
          "false",
          "grep",
          "head",
          "hostname",
          "id",
          "kill",
          "ls",
          "mkdir",
          "mount",
          "poweroff",
          "printf",
          "ps",
          "pwd",
          "readlink",
          "reboot",
          "rm",
          "seq",
          "sh",
          "sleep",
          "stat",
          "stty",
          "sync",
          "test",
          "touch",
          "tr",
          "true",
          "tty",
          "usleep",
          "wc",
          "yes");

  /**
   * Says that it booted, answers what is typed on the console, and ends when it is asked to by any
   * of the signals by which first processes are.
   */
  private static final String INIT =
      """
      #!/bin/sh
      trap 'exec /sbin/init' EXIT # where it can start no process
      trap 'trap - EXIT; exit 0' PWR TERM INT USR2
      if [ -c /dev/console ]; then
        echo contract booted >/dev/console
        (while read -r line; do echo "typed: $line"; done) </dev/console >/dev/console 2>&1 &
      fi
      while :; do
        sleep 1000 &
        wait $!
      done
      """;

  private BusyboxRoot() {}

  /** Fills an empty directory. */
  static void fill(Path root) throws IOException {
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String directory : DIRECTORIES) {
      Files.createDirectory(root.resolve(directory));
    }
    Files.setPosixFilePermissions(
        root.resolve("tmp"), PosixFilePermissions.fromString("rwxrwxrwx"));
    Path busybox = Files.exists(Path.of("/bin/busybox")) ? Path.of("/bin/busybox") : usual();
    Files.copy(busybox, root.resolve("bin/busybox"));
    for (String applet : APPLETS) {
      Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
    }
    Files.writeString(
        root.resolve("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001:user:/home/user:/bin/sh\n");
    Files.writeString(root.resolve("etc/group"), "root:x:0:\nuser:x:1001:\n");
    Files.writeString(root.resolve("etc/hostname"), "contract\n");
    Files.writeString(root.resolve("etc/not-a-program"), "text\n");
    Files.writeString(root.resolve("sbin/init"), INIT);
    Files.setPosixFilePermissions(
        root.resolve("sbin/init"), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Path usual() {
    return Path.of("/usr/bin/busybox");
  }
}
