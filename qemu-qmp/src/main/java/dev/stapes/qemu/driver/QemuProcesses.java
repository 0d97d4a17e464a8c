package dev.stapes.qemu.driver;

import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The processes of virtual machines that run, whoever started them. */
final class QemuProcesses {
  private static final String NAME = "guest=";

  private QemuProcesses() {}

  /** The pids of a scope's machines by their names, of which {@link VmFiles#name} is one. */
  static Map<String, Long> of(Scope scope) {
    Map<String, Long> found = new HashMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : all) {
        String name = name(process);
        if (VmFiles.isName(scope, name) && isOurs(process)) {
          found.put(name, Long.parseLong(process.getFileName().toString()));
        }
      }
      return found;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Whoever else calls a process so shall not have it taken for a virtual machine. */
  private static boolean isOurs(Path process) {
    try {
      long user = uid(process);
      return user == uid(Path.of("/proc/self")) || UserIds.contains(user);
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  private static long uid(Path process) throws IOException {
    return ((Number) Files.getAttribute(process, "unix:uid")).longValue();
  }

  /** The name that a process was given as a virtual machine; empty where it is none. */
  private static String name(Path process) {
    try {
      String[] arguments =
          new String(Files.readAllBytes(process.resolve("cmdline")), StandardCharsets.ISO_8859_1)
              .split("\0", -1);
      for (int i = 1; i + 1 < arguments.length; i++) {
        if (arguments[i].equals("-name") && arguments[i + 1].startsWith(NAME)) {
          return arguments[i + 1].substring(NAME.length()).replaceFirst(",.*", "");
        }
      }
      return "";
    } catch (IOException e) {
      return ""; // it has ended
    }
  }
}
