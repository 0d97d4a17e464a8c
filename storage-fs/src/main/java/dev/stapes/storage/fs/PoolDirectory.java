package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The root directory of a pool whose volumes are directories: {@code <kind>/<name>} for the
 * volumes, {@code incoming} for those that are being made, {@code trash} for those that are gone by
 * their id, and a file that says that this is a pool. Everything is done from descriptors of these
 * directories, so that it works from any thread whatever its mount namespace.
 */
final class PoolDirectory implements AutoCloseable {
  private static final String MARKER = "stapes-pool";
  private static final String INCOMING = "incoming";
  private static final String TRASH = "trash";

  /** What {@link VolumeId} takes; anything else in a pool is not ours. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,99}");

  private static final int SEARCHABLE = 0711;
  private static final int PRIVATE = 0700;
  private static final Set<OpenFlag> AS_DIRECTORY =
      Set.of(OpenFlag.READ, OpenFlag.DIRECTORY, OpenFlag.NO_FOLLOW);

  private final Syscalls sys;
  private final FileTree tree;
  private final List<Fd> open = new ArrayList<>();
  private final Map<VolumeId.Kind, Fd> kinds = new EnumMap<>(VolumeId.Kind.class);
  private final Fd root;
  private final Fd incoming;
  private final Fd trash;
  private final Set<String> inProgress = new HashSet<>();

  private PoolDirectory(Syscalls sys, FileTree tree) {
    this.sys = sys;
    this.tree = tree;
    try {
      root = keep("");
      incoming = keep(INCOMING);
      trash = keep(TRASH);
      for (VolumeId.Kind kind : VolumeId.Kind.values()) {
        kinds.put(kind, keep(kind.directory()));
      }
    } catch (RuntimeException e) {
      Failures.alsoDo(e, this::close);
      throw e;
    }
  }

  private Fd keep(String name) {
    Fd fd = tree.open(name, AS_DIRECTORY, 0);
    open.add(fd);
    return fd;
  }

  /** Whether nothing is in a directory but what a file system makes itself. */
  static boolean isEmpty(Syscalls sys, Path directory) {
    try (FileTree tree = FileTree.open(sys, directory, FileTree.Resolution.BENEATH)) {
      return tree.list("").stream().allMatch("lost+found"::equals);
    }
  }

  /** Makes the directories of a pool in an empty directory; the marker comes last. */
  static void layOut(Syscalls sys, Path directory, String driver) {
    try (FileTree tree = FileTree.open(sys, directory, FileTree.Resolution.BENEATH)) {
      tree.chmod("", SEARCHABLE);
      for (VolumeId.Kind kind : VolumeId.Kind.values()) {
        tree.mkdir(kind.directory(), SEARCHABLE);
      }
      tree.mkdir(INCOMING, PRIVATE);
      tree.mkdir(TRASH, PRIVATE);
      try (Fd marker = tree.create(MARKER, 0600)) {
        marker.write(ByteBuffer.wrap(marker(driver)));
        marker.syncFileSystem();
      }
    }
  }

  private static byte[] marker(String driver) {
    return ("stapes-pool 1 " + driver + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Opens a pool's directory.
   *
   * @param subject for errors
   * @throws StapesException UNAVAILABLE where it is no pool of this driver
   */
  static PoolDirectory open(
      Syscalls sys, Path directory, Path shown, String driver, String subject) {
    FileTree tree = null;
    try {
      tree = FileTree.open(sys, directory, FileTree.Resolution.BENEATH);
      requireMarker(tree, shown, driver, subject);
      return new PoolDirectory(sys, tree);
    } catch (RuntimeException e) {
      if (tree != null) {
        Failures.alsoDo(e, tree::close);
      }
      if (e instanceof LinuxException linux) {
        throw new StapesException(
            Kind.UNAVAILABLE, subject, "no pool in " + shown + ": " + linux.getMessage(), linux);
      }
      throw e;
    }
  }

  private static void requireMarker(FileTree tree, Path shown, String driver, String subject) {
    ByteBuffer text = Syscalls.buffer(256);
    if (tree.stat(MARKER).isPresent()) {
      try (Fd marker = tree.openFile(MARKER, Set.of(OpenFlag.READ))) {
        marker.read(text);
      }
    }
    byte[] bytes = new byte[text.flip().remaining()];
    text.get(bytes);
    if (!Arrays.equals(bytes, marker(driver))) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "no " + driver + " pool in " + shown + ": no " + MARKER + " file of this driver in it");
    }
  }

  /** The root, open for reading. */
  Fd root() {
    return root;
  }

  /** Where volumes are made. */
  Fd incoming() {
    return incoming;
  }

  /** Where the volumes of a kind are. */
  Fd of(VolumeId.Kind kind) {
    return Objects.requireNonNull(kinds.get(kind));
  }

  boolean exists(VolumeId id) {
    return tree.stat(id.toString()).isPresent();
  }

  Set<VolumeId> list() {
    Set<VolumeId> all = new TreeSet<>();
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      for (String name : tree.list(kind.directory())) {
        if (NAME.matcher(name).matches()) {
          all.add(new VolumeId(kind, name));
        }
      }
    }
    return all;
  }

  /** The root directory of a volume, open for reading. */
  Fd open(VolumeId id) {
    return tree.open(id.toString(), AS_DIRECTORY, 0);
  }

  /** A name in {@link #incoming} that nobody else has, until {@link #done}. */
  String begin() {
    String name = UUID.randomUUID().toString();
    synchronized (inProgress) {
      inProgress.add(name);
    }
    return name;
  }

  /** Says that a name of {@link #begin} is no longer used: what is left of it is a leftover. */
  void done(String name) {
    synchronized (inProgress) {
      inProgress.remove(name);
    }
  }

  /** Permissions of what is being made. */
  void chmodIncoming(String name, int permissions) {
    tree.chmod(INCOMING + "/" + name, permissions);
  }

  /** Gives a finished volume its id, in one step. */
  void publish(String name, VolumeId id) {
    move(incoming, name, of(id.kind()), id.name(), id.toString());
  }

  /**
   * Takes the id from a volume, in one step; it is in the trash then.
   *
   * @throws LinuxException ENOENT; EROFS for the root of a read-only subvolume
   */
  void throwAway(VolumeId id) {
    move(of(id.kind()), id.name(), trash, UUID.randomUUID().toString(), id.toString());
  }

  /** The same for what was being made. */
  void throwAway(String name) {
    move(incoming, name, trash, name, INCOMING + "/" + name);
  }

  private void move(Fd from, String name, Fd to, String newName, String subject) {
    int result =
        sys.renameat2(
            from.number(),
            CString.of(name),
            to.number(),
            CString.of(newName),
            Constants.RENAME_NOREPLACE);
    sys.check(result, "renameat2", subject);
  }

  /** Removes whatever lies in the trash or was left unfinished by a crash. */
  @FunctionalInterface
  interface Remover {
    /** Removes a directory by its name in another one. */
    void remove(Fd directory, String name);
  }

  /** Removes what is in the trash, and what nobody works on any more. Goes on after an error. */
  void reclaim(Remover remover) {
    List<RuntimeException> errors = new ArrayList<>();
    for (String name : tree.list(TRASH)) {
      attempt(remover, trash, name, errors);
    }
    for (String name : tree.list(INCOMING)) {
      boolean busy;
      synchronized (inProgress) {
        busy = inProgress.contains(name);
      }
      if (!busy) {
        attempt(remover, incoming, name, errors);
      }
    }
    if (!errors.isEmpty()) {
      RuntimeException first = errors.get(0);
      errors.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
  }

  private static void attempt(
      Remover remover, Fd directory, String name, List<RuntimeException> errors) {
    try {
      remover.remove(directory, name);
    } catch (LinuxException e) {
      if (!e.is(Errno.ENOENT)) {
        errors.add(e);
      }
    } catch (RuntimeException e) {
      errors.add(e);
    }
  }

  /** Removes all directories of an emptied pool and its marker; the root stays. */
  void dismantle() {
    tree.removeAll(MARKER);
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      tree.removeAll(kind.directory());
    }
    tree.removeAll(INCOMING);
    tree.removeAll(TRASH);
  }

  @Override
  public void close() {
    open.forEach(Fd::close);
    tree.close();
  }
}
