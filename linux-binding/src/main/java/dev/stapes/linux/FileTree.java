package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A directory and access to what is below it. The kernel resolves every path from the directory's
 * descriptor, openat2(2), so that no link in it, no {@code ..} and nobody who changes it meanwhile
 * leads outside. Paths are taken from the directory whether they start with a slash or not; the
 * empty path and {@code /} are the directory itself. Names that are not UTF-8 are spelled as {@link
 * CString} does.
 *
 * <p>Fails with the error of the call; EXDEV for a path that leaves a {@link Resolution#BENEATH}
 * tree, EINVAL for one that ends in {@code ..} where a name is needed.
 */
public final class FileTree implements AutoCloseable {
  /** What links and {@code ..} mean. */
  public enum Resolution {
    /** To leave the directory is an error. */
    BENEATH(Constants.RESOLVE_BENEATH),
    /** The directory is the root: {@code /} and {@code ..} at the top are the directory. */
    IN_ROOT(Constants.RESOLVE_IN_ROOT);

    private final int bits;

    Resolution(int bits) {
      this.bits = bits | Constants.RESOLVE_NO_MAGICLINKS;
    }
  }

  /**
   * Whom a new file belongs to.
   *
   * @param uid as the calling process sees it
   * @param gid likewise
   */
  public record Owner(long uid, long gid) {}

  private static final byte[] HERE = CString.of("");
  private static final int PLACE = Constants.O_PATH | Constants.O_DIRECTORY | Constants.O_CLOEXEC;
  static final int PLACE_ITSELF = Constants.O_PATH | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;
  private static final int RACES = 1000;

  private final Syscalls sys;
  private final Fd directory;
  private final Resolution resolution;
  private final @Nullable Owner owner;

  private FileTree(Syscalls sys, Fd directory, Resolution resolution, @Nullable Owner owner) {
    this.sys = sys;
    this.directory = directory;
    this.resolution = resolution;
    this.owner = owner;
  }

  /** Opens a directory of the calling thread's mount namespace. */
  public static FileTree open(Syscalls sys, Path directory, Resolution resolution) {
    return new FileTree(sys, Fd.openDirectory(sys, directory), resolution, null);
  }

  /**
   * Opens a directory below an idmapped mount, where new files belong to a user that the mount
   * knows until they are given away. Needs CAP_SETUID and CAP_SETGID.
   */
  public static FileTree open(
      Syscalls sys, Path directory, Resolution resolution, Owner ownerOfNewFiles) {
    return new FileTree(sys, Fd.openDirectory(sys, directory), resolution, ownerOfNewFiles);
  }

  /** Takes over a descriptor of a directory. */
  public static FileTree over(Syscalls sys, Fd directory, Resolution resolution) {
    return new FileTree(sys, directory, resolution, null);
  }

  /** A tree of a directory below, with a descriptor of its own. */
  public FileTree subtree(String path) {
    return new FileTree(sys, openAt(path, PLACE, 0, path), resolution, owner);
  }

  /** The directory itself; owned by this. */
  public Fd directory() {
    return directory;
  }

  /**
   * Opens whatever is there, following links. Beware of FIFOs, whose open waits, and devices, whose
   * open acts: {@link #openFile} refuses both.
   *
   * @param permissions of a file that it makes, less the umask
   */
  public Fd open(String path, Set<OpenFlag> flags, int permissions) {
    int mode = flags.contains(OpenFlag.CREATE) ? permissions : 0;
    return openAt(path, OpenFlag.bits(flags), mode, path);
  }

  /**
   * Opens a regular file, following links, and makes none.
   *
   * @throws LinuxException EINVAL if it is something else, EISDIR for a directory
   */
  public Fd openFile(String path, Set<OpenFlag> flags) {
    try (Fd place = openAt(path, Constants.O_PATH | Constants.O_CLOEXEC, 0, path)) {
      regular(place, path);
      return reopen(place, flags, path);
    }
  }

  /**
   * Opens a regular file, following links, and makes it if it is not there.
   *
   * @param permissions of a new file, exactly
   */
  public Fd openOrCreateFile(String path, Set<OpenFlag> flags, int permissions) {
    int place = openat2(relative(path), Constants.O_PATH | Constants.O_CLOEXEC, 0);
    if (sys.checkUnless(place, "openat2", path, Errno.ENOENT) >= 0) {
      try (Fd found = Fd.adopt(sys, place, path)) {
        regular(found, path);
        return reopen(found, flags, path);
      }
    }
    EnumSet<OpenFlag> creating = EnumSet.of(OpenFlag.CREATE, OpenFlag.NON_BLOCKING);
    creating.addAll(flags);
    int bits = OpenFlag.bits(creating);
    int number = asOwner(() -> openat2(relative(path), bits, permissions & 0600));
    Fd made = Fd.adopt(sys, sys.check(number, "openat2", path), path);
    try {
      regular(made, path);
      made.chmod(permissions);
      return made;
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private void regular(Fd fd, String path) {
    FileKind kind = fd.stat().kind();
    if (kind != FileKind.FILE) {
      throw new LinuxException(
          "open(regular file)", path, kind == FileKind.DIRECTORY ? Errno.EISDIR : Errno.EINVAL);
    }
  }

  private Fd reopen(Fd place, Set<OpenFlag> flags, String path) {
    int number = sys.libc().open(CString.of(place.path()), OpenFlag.bits(flags), 0);
    return Fd.adopt(sys, sys.check(number, "open", path), path);
  }

  /**
   * Makes a regular file that must not exist and opens it for writing.
   *
   * @param permissions exactly, whatever the umask
   */
  public Fd create(String path, int permissions) {
    try (Place place = place(path, "openat")) {
      Fd fd = create(place, path);
      try {
        fd.chmod(permissions);
        return fd;
      } catch (RuntimeException e) {
        fd.close();
        place.undo(0, e);
        throw e;
      }
    }
  }

  /** The same for a file that gets its permissions when it is complete: 0600 less the umask. */
  public Fd createUnfinished(String path) {
    try (Place place = place(path, "openat")) {
      return create(place, path);
    }
  }

  private Fd create(Place place, String path) {
    int flags =
        Constants.O_WRONLY
            | Constants.O_CREAT
            | Constants.O_EXCL
            | Constants.O_NOFOLLOW
            | Constants.O_CLOEXEC;
    int dirfd = place.directory.number();
    int number = asOwner(() -> sys.libc().openat(dirfd, place.name, flags, 0600));
    return Fd.adopt(sys, sys.check(number, "openat", path), path);
  }

  /** Makes a directory with exactly these permissions. */
  public void mkdir(String path, int permissions) {
    try (Place place = place(path, "mkdirat")) {
      int dirfd = place.directory.number();
      int result = asOwner(() -> sys.libc().mkdirat(dirfd, place.name, 0700));
      sys.check(result, "mkdirat", path);
      place.chmodNew(permissions, Constants.AT_REMOVEDIR);
    }
  }

  /** Makes a symbolic link to any text. */
  public void symlink(String target, String path) {
    try (Place place = place(path, "symlinkat")) {
      int dirfd = place.directory.number();
      byte[] text = CString.of(target);
      int result = asOwner(() -> sys.libc().symlinkat(text, dirfd, place.name));
      sys.check(result, "symlinkat", path);
    }
  }

  /** Gives a second name to what {@code existing} itself is. */
  public void hardlink(String existing, String path) {
    try (Place from = place(existing, "linkat");
        Place to = place(path, "linkat")) {
      int fromFd = from.directory.number();
      int toFd = to.directory.number();
      int result = asOwner(() -> sys.libc().linkat(fromFd, from.name, toFd, to.name, 0));
      sys.check(result, "linkat", existing + " to " + path);
    }
  }

  /** Makes a named pipe with exactly these permissions. */
  public void mkfifo(String path, int permissions) {
    mknod(path, FileKind.FIFO, permissions, new DeviceNumber(0, 0));
  }

  /**
   * Makes a device, FIFO or socket with exactly these permissions.
   *
   * @param device 0:0 for what is no device
   */
  public void mknod(String path, FileKind kind, int permissions, DeviceNumber device) {
    if (kind == FileKind.DIRECTORY || kind == FileKind.SYMLINK) {
      throw new IllegalArgumentException(path + ": mknod makes no " + kind);
    }
    try (Place place = place(path, "mknodat")) {
      int mode = kind.bits | 0600;
      int dirfd = place.directory.number();
      int result = asOwner(() -> sys.mknodat(dirfd, place.name, mode, device.encoded()));
      sys.check(result, "mknodat", path);
      place.chmodNew(permissions, 0);
    }
  }

  /** What is there, links not followed; empty if nothing is. */
  public Optional<FileStat> stat(String path) {
    int place = openat2(relative(path), PLACE_ITSELF, 0);
    int number = sys.checkUnless(place, "openat2", path, Errno.ENOENT);
    if (number < 0) {
      return Optional.empty();
    }
    try (Fd fd = Fd.adopt(sys, number, path)) {
      return Optional.of(fd.stat());
    }
  }

  /** The names in a directory in no order, without {@code .} and {@code ..}; links are followed. */
  public List<String> list(String path) {
    int flags = Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_CLOEXEC;
    try (Fd fd = openAt(path, flags, 0, path)) {
      return Listing.of(sys, fd).stream().map(Listing.Entry::name).toList();
    }
  }

  /** The text of a symbolic link. */
  public String readlink(String path) {
    try (Place place = place(path, "readlinkat")) {
      ByteBuffer text = Syscalls.buffer(4096); // PATH_MAX: no link is longer
      long length =
          sys.libc().readlinkat(place.directory.number(), place.name, text, text.capacity());
      byte[] bytes = new byte[(int) sys.check(length, "readlinkat", path)];
      text.get(bytes);
      return CString.decode(bytes, 0, bytes.length);
    }
  }

  /** Moves within the tree, replacing what rename(2) replaces. */
  public void rename(String from, String to) {
    rename(from, to, 0);
  }

  /** Swaps two things that both exist, in one step; see renameat2(2), RENAME_EXCHANGE. */
  public void exchange(String one, String other) {
    rename(one, other, Constants.RENAME_EXCHANGE);
  }

  private void rename(String from, String to, int flags) {
    try (Place source = place(from, "renameat2");
        Place target = place(to, "renameat2")) {
      int fromFd = source.directory.number();
      int toFd = target.directory.number();
      int result = asOwner(() -> sys.renameat2(fromFd, source.name, toFd, target.name, flags));
      sys.check(result, "renameat2", from + " to " + to);
    }
  }

  /** Removes what is no directory. */
  public void unlink(String path) {
    unlink(path, 0, "unlinkat");
  }

  /** Removes an empty directory. */
  public void rmdir(String path) {
    unlink(path, Constants.AT_REMOVEDIR, "unlinkat(AT_REMOVEDIR)");
  }

  private void unlink(String path, int flags, String call) {
    try (Place place = place(path, call)) {
      int result = sys.libc().unlinkat(place.directory.number(), place.name, flags);
      sys.check(result, call, path);
    }
  }

  /**
   * Removes a thing and all below it, or nothing if it is not there. Enters no other mount (EXDEV)
   * and follows no link; takes as many descriptors for a deep tree as for a flat one.
   */
  public void removeAll(String path) {
    try (Place place = place(path, "unlinkat")) {
      new Removal(sys, path).run(place.directory, place.name);
    }
  }

  /** Sets the owner, links not followed; -1 leaves a part as it is. */
  public void chown(String path, long uid, long gid) {
    try (Place place = placeOrSelf(path, "fchownat")) {
      int flags = Constants.AT_SYMLINK_NOFOLLOW | Constants.AT_EMPTY_PATH;
      int dirfd = place.directory.number();
      int result = sys.libc().fchownat(dirfd, place.name, (int) uid, (int) gid, flags);
      sys.check(result, "fchownat", path);
    }
  }

  /**
   * Sets the permissions of what is no symbolic link.
   *
   * @throws LinuxException EOPNOTSUPP for a symbolic link
   */
  public void chmod(String path, int permissions) {
    try (Place place = placeOrSelf(path, "chmod")) {
      place.chmod(permissions);
    }
  }

  /** Sets the times, links not followed; null leaves one as it is. */
  public void times(String path, @Nullable Instant accessed, @Nullable Instant modified) {
    try (Place place = placeOrSelf(path, "utimensat")) {
      byte[] name = place.isSelf() ? CString.of(".") : place.name;
      int flags = Constants.AT_SYMLINK_NOFOLLOW;
      ByteBuffer times = Times.of(accessed, modified);
      int result = sys.libc().utimensat(place.directory.number(), name, times, flags);
      sys.check(result, "utimensat", path);
    }
  }

  /** Works on the extended attributes of a thing, links not followed. */
  public <T> T xattrs(String path, Function<Xattrs, T> work) {
    try (Place place = placeOrSelf(path, "xattr")) {
      // No *at calls before Linux 6.13: the parent by descriptor and one name cannot go astray.
      byte[] parent = CString.encode("/proc/self/fd/" + place.directory.number() + "/");
      byte[] name = place.isSelf() ? CString.of(".") : place.name;
      byte[] whole = Arrays.copyOf(parent, parent.length + name.length);
      System.arraycopy(name, 0, whole, parent.length, name.length);
      return work.apply(Xattrs.ofLink(sys, whole, path));
    }
  }

  @Override
  public void close() {
    directory.close();
  }

  @Override
  public String toString() {
    return resolution + " " + directory;
  }

  /** Makes a call that makes a name as the one whom new files belong to. */
  private int asOwner(IntSupplier call) {
    if (owner == null) {
      return call.getAsInt();
    }
    try (FsIds entered = FsIds.enter(sys, owner)) {
      return call.getAsInt();
    }
  }

  // ---- resolution

  private Place placeOrSelf(String path, String call) {
    String relative = relative(path);
    return relative.equals(".") ? new Place(sys, directory, HERE, path, false) : place(path, call);
  }

  private Place place(String path, String call) {
    String relative = relative(path);
    int slash = relative.lastIndexOf('/');
    String name = relative.substring(slash + 1);
    if (name.equals(".") || name.equals("..")) {
      throw new LinuxException(call, path, Errno.EINVAL);
    }
    if (slash < 0) {
      return new Place(sys, directory, CString.of(name), path, false);
    }
    Fd parent = openAt(relative.substring(0, slash), PLACE, 0, path);
    return new Place(sys, parent, CString.of(name), path, true);
  }

  /** Without slashes at both ends; {@code .} for the directory itself. */
  private static String relative(String path) {
    int start = 0;
    int end = path.length();
    while (start < end && path.charAt(start) == '/') {
      start++;
    }
    while (end > start && path.charAt(end - 1) == '/') {
      end--;
    }
    return start == end ? "." : path.substring(start, end);
  }

  private Fd openAt(String path, int flags, int mode, String subject) {
    int number = openat2(relative(path), flags, mode);
    return Fd.adopt(sys, sys.check(number, "openat2", subject), subject);
  }

  /** The kernel gives up on {@code ..} with EAGAIN while somebody renames: try again. */
  private int openat2(String relative, int flags, int mode) {
    ByteBuffer how = Syscalls.buffer(Layout.open_how_SIZEOF);
    how.putLong(Layout.open_how_flags, flags & 0xFFFFFFFFL);
    how.putLong(Layout.open_how_mode, mode);
    how.putLong(Layout.open_how_resolve, resolution.bits);
    byte[] name = CString.of(relative);
    int result = sys.openat2(directory.number(), name, how);
    for (int i = 0; result < 0 && i < RACES; i++) {
      int errno = sys.errno();
      if (errno != Errno.EAGAIN && errno != Errno.EINTR) {
        Syscalls.errno(errno);
        return result;
      }
      result = sys.openat2(directory.number(), name, how);
    }
    return result;
  }
}
