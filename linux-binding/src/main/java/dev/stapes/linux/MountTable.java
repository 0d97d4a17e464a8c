package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The mounts of a mount namespace in the order the kernel lists them; /proc/pid/mountinfo, see
 * proc(5).
 *
 * @param mounts parents before children
 */
public record MountTable(List<Mount> mounts) {
  /**
   * One line of it.
   *
   * @param id unique while it exists
   * @param parentId the mount it is on
   * @param device of the file system
   * @param root which directory of the file system is seen
   * @param mountPoint where, relative to the reader's root
   * @param options of this mount
   * @param propagation such as {@code shared:12}
   * @param type of the file system
   * @param source a device, or what was given as one
   * @param superOptions of the file system
   */
  public record Mount(
      int id,
      int parentId,
      DeviceNumber device,
      String root,
      String mountPoint,
      Set<String> options,
      Set<String> propagation,
      String type,
      String source,
      Set<String> superOptions) {
    public Mount {
      options = Set.copyOf(options);
      propagation = Set.copyOf(propagation);
      superOptions = Set.copyOf(superOptions);
    }
  }

  public MountTable {
    mounts = List.copyOf(mounts);
  }

  /** The mounts that this process's main thread sees. */
  public static MountTable ofProcess() {
    return read(Path.of("/proc/self/mountinfo"));
  }

  /** The mounts that another process sees. */
  public static MountTable ofProcess(int pid) {
    return read(Path.of("/proc/" + pid + "/mountinfo"));
  }

  /** The mounts that a thread of this process sees, see {@link Spawner#tid}. */
  public static MountTable ofThread(int tid) {
    return read(Path.of("/proc/self/task/" + tid + "/mountinfo"));
  }

  private static MountTable read(Path file) {
    try {
      return parse(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Parses a mountinfo file.
   *
   * @throws IllegalArgumentException with the line that is not understood
   */
  public static MountTable parse(byte[] mountinfo) {
    List<Mount> mounts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < mountinfo.length; i++) {
      if (mountinfo[i] == '\n') {
        mounts.add(line(CString.decode(mountinfo, start, i)));
        start = i + 1;
      }
    }
    if (start < mountinfo.length) {
      mounts.add(line(CString.decode(mountinfo, start, mountinfo.length)));
    }
    return new MountTable(mounts);
  }

  private static Mount line(String line) {
    List<String> fields = split(line, ' ');
    int separator = fields.subList(Math.min(6, fields.size()), fields.size()).indexOf("-") + 6;
    if (separator < 6 || fields.size() < separator + 4) {
      throw new IllegalArgumentException("not a line of mountinfo: \"" + line + '"');
    }
    try {
      List<String> device = split(fields.get(2), ':');
      return new Mount(
          Integer.parseInt(fields.get(0)),
          Integer.parseInt(fields.get(1)),
          new DeviceNumber(Integer.parseInt(device.get(0)), Integer.parseInt(device.get(1))),
          unescape(fields.get(3)),
          unescape(fields.get(4)),
          options(fields.get(5)),
          Set.copyOf(fields.subList(6, separator)),
          fields.get(separator + 1),
          unescape(fields.get(separator + 2)),
          options(fields.get(separator + 3)));
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("not a line of mountinfo: \"" + line + '"', e);
    }
  }

  private static Set<String> options(String field) {
    return Set.copyOf(new java.util.LinkedHashSet<>(split(field, ',')));
  }

  private static List<String> split(String text, char separator) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (int at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, start)) {
      parts.add(text.substring(start, at));
      start = at + 1;
    }
    parts.add(text.substring(start));
    return parts;
  }

  /** Space, tab, newline, backslash and {@code #} are written as three octal digits. */
  static String unescape(String field) {
    if (field.indexOf('\\') < 0) {
      return field;
    }
    ByteArrayOutputStream plain = new ByteArrayOutputStream(field.length());
    byte[] bytes = CString.encode(field);
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\\' && isOctal(bytes, i + 1)) {
        plain.write(Integer.parseInt(new String(bytes, i + 1, 3, StandardCharsets.US_ASCII), 8));
        i += 3;
      } else {
        plain.write(bytes[i]);
      }
    }
    byte[] all = plain.toByteArray();
    return CString.decode(all, 0, all.length);
  }

  private static boolean isOctal(byte[] bytes, int at) {
    if (at + 3 > bytes.length) {
      return false;
    }
    for (int i = at; i < at + 3; i++) {
      if (bytes[i] < '0' || bytes[i] > '7') {
        return false;
      }
    }
    return bytes[at] <= '3';
  }

  /** The mount whose mount point is exactly {@code path}: the topmost, if several are there. */
  public Optional<Mount> at(Path path) {
    String wanted = path.toString();
    return mounts.stream()
        .filter(mount -> mount.mountPoint().equals(wanted))
        .reduce((first, second) -> second);
  }

  /** The mount that an absolute path without symbolic links is on. */
  public Optional<Mount> containing(Path path) {
    for (Path at = path; at != null; at = at.getParent()) {
      Optional<Mount> mount = at(at);
      if (mount.isPresent()) {
        return mount;
      }
    }
    return Optional.empty();
  }

  /** The mounts whose mount point is {@code path} or below it, in the kernel's order. */
  public List<Mount> below(Path path) {
    String exact = path.toString();
    String prefix = exact.equals("/") ? "/" : exact + "/";
    return mounts.stream()
        .filter(m -> m.mountPoint().equals(exact) || m.mountPoint().startsWith(prefix))
        .toList();
  }
}
