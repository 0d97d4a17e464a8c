package dev.stapes.lxc.driver;

import dev.stapes.linux.FileTree;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.lxc.ffi.LockFiles;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a running container has on the host: a directory of its own.
 *
 * @param name of the container for liblxc, unique on the machine
 * @param directory its directory in the host's mount namespace
 * @param view the same directory as this JVM reaches it; all files are given below it
 */
record RunFiles(String name, Path directory, Path view) {
  private static final Pattern ENDED = Pattern.compile("ended on (error|signal) \\((\\d{1,3})\\)");
  private static final int SIGNALLED = 128;

  /** What liblxc calls the container path. */
  Path lxcPath() {
    return directory.resolveSibling("");
  }

  /** The same with files as programs in the host's mount namespace reach them. */
  RunFiles inNamespace() {
    return new RunFiles(name, directory, directory);
  }

  Path config() {
    return view.resolve("config");
  }

  Path seccomp() {
    return view.resolve("seccomp");
  }

  Path log() {
    return view.resolve("log");
  }

  /**
   * The directory with the log of the console, or a link to one that stays when this is removed.
   */
  Path consoleDirectory() {
    return view.resolve("console");
  }

  /** The log of the console. */
  Path console() {
    return consoleDirectory().resolve(Scope.CONSOLE_LOG);
  }

  /** The directory that the container sees. */
  Path agent() {
    return view.resolve("agent");
  }

  /** The root directory of a container that has none of an instance yet. */
  Path blank() {
    return view.resolve("blank");
  }

  /** Device nodes, on a file system where they work. */
  Path devices() {
    return view.resolve("devices");
  }

  /** Runs when the container has ended. */
  Path hook() {
    return view.resolve("hook");
  }

  /** Is there when the container asked for a reboot. */
  Path reboot() {
    return view.resolve("reboot");
  }

  /** Makes the directories; the container's root passes through, others see nothing. */
  void create() throws IOException {
    Files.createDirectory(view, attribute("rwx--x--x"));
    Files.setPosixFilePermissions(view, permissions("rwx--x--x"));
    Files.createDirectory(agent());
    Files.setPosixFilePermissions(agent(), permissions("rwxr-xr-x"));
  }

  /** Writes a file that only root reads. */
  static void write(Path file, String text) throws IOException {
    Files.createFile(file, attribute("rw-------"));
    Files.writeString(file, text);
  }

  /** Removes everything. Does nothing where there is nothing. */
  void remove() throws IOException {
    LockFiles.remove(lxcPath(), name);
    try (FileTree tree =
        FileTree.open(Syscalls.system(), view.resolveSibling(""), FileTree.Resolution.BENEATH)) {
      tree.removeAll(view.getFileName().toString());
    } catch (LinuxException e) {
      if (e.errno() != Errno.ENOENT) {
        throw new IOException(e.getMessage(), e);
      }
    }
  }

  /** Writes a file that only root reads; who opens it finds all of it or what was there before. */
  static void replace(Path file, String text) throws IOException {
    Path made = file.resolveSibling(file.getFileName() + ".new");
    write(made, text);
    Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * The end of a file.
   *
   * @param most bytes
   */
  static byte[] tail(Path file, int most) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      long size = in.length();
      byte[] bytes = new byte[(int) Math.min(size, most)];
      in.seek(size - bytes.length);
      int read = in.read(bytes);
      return read == bytes.length ? bytes : Arrays.copyOf(bytes, Math.max(0, read));
    } catch (FileNotFoundException e) {
      return new byte[0];
    }
  }

  /** The last lines of liblxc's log that tell of errors, on one line. */
  String errors() {
    try {
      String text = new String(tail(log(), 16 << 10), StandardCharsets.UTF_8);
      StringBuilder errors = new StringBuilder();
      for (String line : text.split("\n", -1)) {
        int at = line.indexOf(" ERROR ");
        if (at >= 0 && errors.length() < 2000) {
          errors.append(errors.isEmpty() ? "" : "; ");
          errors.append(line.substring(at + " ERROR ".length()).strip().replaceAll("\\s+", " "));
        }
      }
      return errors.isEmpty() ? "liblxc says nothing" : errors.toString();
    } catch (IOException e) {
      return "liblxc's log cannot be read: " + e.getMessage();
    }
  }

  /**
   * The exit code of the first process, as a shell reports it, of a container that has ended.
   * lxc-start does not end with it, as lxc-execute does; but its log at INFO says when it was not
   * 0.
   */
  int exitCode() throws IOException {
    String text = new String(tail(log(), 16 << 10), StandardCharsets.UTF_8);
    Matcher matcher = ENDED.matcher(text);
    int code = 0;
    while (matcher.find()) {
      int number = Integer.parseInt(matcher.group(2));
      code = matcher.group(1).equals("signal") ? SIGNALLED + number : number;
    }
    return code;
  }

  private static FileAttribute<Set<PosixFilePermission>> attribute(String text) {
    return PosixFilePermissions.asFileAttribute(permissions(text));
  }

  private static Set<PosixFilePermission> permissions(String text) {
    return PosixFilePermissions.fromString(text);
  }
}
