package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileSystemInfo;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/**
 * The root directory of a pool whose volumes are directories: {@code <kind>/<name>} for the
 * volumes, {@code incoming} for those that are being made, {@code trash} for those that are gone by
 * their id, and a file that says that this is a pool.
 *
 * <p>Everything is done from descriptors, so that it works from any thread whatever its mount
 * namespace. None is kept between calls: a file system can go as soon as it is unmounted.
 */
final class PoolDirectory {
  private static final String MARKER = "stapes-pool";
  private static final String INCOMING = "incoming";
  private static final String TRASH = "trash";

  private static final int TEXT_LIMIT = 16 * 1024;

  private static final int SEARCHABLE = 0711;
  private static final int PRIVATE = 0700;
  private static final Set<OpenFlag> AS_DIRECTORY =
      Set.of(OpenFlag.READ, OpenFlag.DIRECTORY, OpenFlag.NO_FOLLOW);

  private final Syscalls sys;
  private final Path directory;
  private final Set<String> inProgress = new HashSet<>();

  private PoolDirectory(Syscalls sys, Path directory) {
    this.sys = sys;
    this.directory = directory;
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
    try (FileTree tree = FileTree.open(sys, directory, FileTree.Resolution.BENEATH)) {
      requireMarker(tree, shown, driver, subject);
      return new PoolDirectory(sys, directory);
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "no pool in " + shown + ": " + e.getMessage(), e);
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

  private <T> T in(Function<FileTree, T> work) {
    try (FileTree tree = FileTree.open(sys, directory, FileTree.Resolution.BENEATH)) {
      return work.apply(tree);
    }
  }

  private Fd openDirectory(String path) {
    return in(tree -> tree.open(path, AS_DIRECTORY, 0));
  }

  /** Opens the root for reading. */
  Fd openRoot() {
    return openDirectory("");
  }

  /** Opens the directory where volumes are made. */
  Fd openIncoming() {
    return openDirectory(INCOMING);
  }

  /** Opens the directory of the volumes of a kind. */
  Fd open(VolumeId.Kind kind) {
    return openDirectory(kind.directory());
  }

  /** Opens the root directory of a volume for reading. */
  Fd open(VolumeId id) {
    return openDirectory(id.toString());
  }

  boolean exists(VolumeId id) {
    return in(tree -> tree.stat(id.toString()).isPresent());
  }

  Set<VolumeId> list() {
    Set<VolumeId> all = new HashSet<>();
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      all.addAll(list(kind));
    }
    return all;
  }

  /** Those that {@link VolumeId} can name; anything else in a pool is not ours. */
  Set<VolumeId> list(VolumeId.Kind kind) {
    return in(
        tree -> {
          Set<VolumeId> all = new HashSet<>();
          if (tree.stat(kind.directory()).isEmpty()) {
            return all; // a removal was cut short
          }
          for (String name : tree.list(kind.directory())) {
            if (VolumeId.isName(name)) {
              all.add(new VolumeId(kind, name));
            }
          }
          return all;
        });
  }

  /** A name in the directory for what is being made that nobody else has, until {@link #done}. */
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

  /** Says so of all names: who is alone in the pool knows that nobody works on anything. */
  void doneAll() {
    synchronized (inProgress) {
      inProgress.clear();
    }
  }

  /** Makes an empty directory of a name of {@link #begin} and opens it. */
  Fd makeIncoming(String name) {
    return in(
        tree -> {
          tree.mkdir(INCOMING + "/" + name, 0755);
          return tree.open(INCOMING + "/" + name, AS_DIRECTORY, 0);
        });
  }

  /** Permissions of what is being made. */
  void chmodIncoming(String name, int permissions) {
    in(
        tree -> {
          tree.chmod(INCOMING + "/" + name, permissions);
          return name;
        });
  }

  /** Gives a finished volume its id, in one step. */
  void publish(String name, VolumeId id) {
    try (Fd from = openIncoming();
        Fd to = open(id.kind())) {
      move(from, name, to, id.name(), id.toString());
    }
  }

  /**
   * Takes the id from a volume, in one step; it is in the trash then.
   *
   * @throws LinuxException ENOENT; EROFS for the root of a read-only subvolume
   */
  void throwAway(VolumeId id) {
    try (Fd from = open(id.kind());
        Fd to = openDirectory(TRASH)) {
      move(from, id.name(), to, UUID.randomUUID().toString(), id.toString());
    }
  }

  /** Removes the small file of a volume, if there is one. */
  void forget(VolumeId id) {
    in(
        tree -> {
          tree.removeAll(id.toString());
          return id;
        });
  }

  /** Reads the small file of a volume. */
  String readText(VolumeId id) {
    return in(
        tree -> {
          try (Fd file = tree.openFile(id.toString(), Set.of(OpenFlag.READ))) {
            ByteBuffer bytes = Syscalls.buffer(TEXT_LIMIT);
            while (bytes.hasRemaining() && file.read(bytes) > 0) {
              // reads on
            }
            byte[] text = new byte[bytes.flip().remaining()];
            bytes.get(text);
            return new String(text, StandardCharsets.US_ASCII);
          }
        });
  }

  /** Writes the small file of a volume that is being made. */
  void writeIncoming(String name, String text) {
    in(
        tree -> {
          try (Fd file = tree.create(INCOMING + "/" + name, 0600)) {
            file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
            return name;
          }
        });
  }

  /** Replaces the small file of a volume in one step; it is on the disk then. */
  void replaceText(VolumeId id, String text) {
    String name = begin();
    try {
      in(
          tree -> {
            String made = INCOMING + "/" + name;
            try (Fd file = tree.create(made, 0600)) {
              file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
              file.sync();
              tree.rename(made, id.toString());
            } catch (RuntimeException e) {
              Undo.after(e, () -> tree.removeAll(made));
              throw e;
            }
            return id;
          });
    } finally {
      done(name);
    }
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
    reclaim(TRASH, remover, errors);
    reclaim(INCOMING, remover, errors);
    if (!errors.isEmpty()) {
      RuntimeException first = errors.get(0);
      errors.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
  }

  /** Of a pool whose removal was cut short a directory may be gone. */
  private void reclaim(String place, Remover remover, List<RuntimeException> errors) {
    if (in(tree -> tree.stat(place).isEmpty())) {
      return;
    }
    try (Fd directory = openDirectory(place)) {
      for (String name : in(tree -> tree.list(place))) {
        if (!isInProgress(name)) {
          attempt(remover, directory, name, errors);
        }
      }
    }
  }

  private boolean isInProgress(String name) {
    synchronized (inProgress) {
      return inProgress.contains(name);
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

  /** What a pool is, with the usage of the file system that it is on. */
  PoolInfo info(PoolSpec spec, String driver, PoolInfo.Copies copies) {
    FileSystemInfo info = new Kernel(sys).fileSystem(directory);
    return new PoolInfo(
        spec.name(),
        driver,
        spec.config(),
        Size.ofBytes(info.size()),
        Size.ofBytes(info.size() - info.free()),
        copies);
  }

  /** Removes all directories of a pool and its marker; the root stays. */
  void dismantle() {
    clear(sys, directory);
  }

  /** The same for one that was never opened. */
  static void clear(Syscalls sys, Path directory) {
    try (FileTree tree = FileTree.open(sys, directory, FileTree.Resolution.BENEATH)) {
      dismantle(tree);
    }
  }

  private static void dismantle(FileTree tree) {
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      tree.removeAll(kind.directory());
    }
    tree.removeAll(INCOMING);
    tree.removeAll(TRASH);
    tree.removeAll(MARKER); // last: until then it is a pool, whose removal can begin again
  }
}
