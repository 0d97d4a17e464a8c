package dev.stapes.qemu.driver;

import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The processes of virtual machines that run, whoever started them. */
final class QemuProcesses {
  private static final String NAME = "guest=";

  private QemuProcesses() {}

  /**
   * A process that is called as a virtual machine is.
   *
   * @param pid of it
   * @param user that it runs as; one that a guest has in its hands may call itself what it likes,
   *     but does not get another one's user
   */
  record Found(long pid, long user) {}

  /** Those of a scope by their names, of which {@link VmFiles#name} is one. */
  static Map<String, List<Found>> of(Scope scope, HostRoot root) {
    Map<String, List<Found>> found = new HashMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(root.proc(), "[1-9]*")) {
      for (Path process : all) {
        String name = name(process);
        if (VmFiles.isName(scope, name)) {
          find(process)
              .ifPresent(it -> found.computeIfAbsent(name, n -> new ArrayList<>()).add(it));
        }
      }
      return found;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Whoever else calls a process so shall not have it taken for a virtual machine. */
  private static Optional<Found> find(Path process) {
    try {
      long user = uid(process);
      boolean ours = user == uid(process.resolveSibling("self")) || UserIds.contains(user);
      long pid = Long.parseLong(process.getFileName().toString());
      return ours ? Optional.of(new Found(pid, user)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // it has ended
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
