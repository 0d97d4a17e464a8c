package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Mounts in the mount namespace of the thread that calls. All need CAP_SYS_ADMIN there; a failure
 * is a {@link LinuxException} with the error of the call.
 */
public final class MountNamespace {
  private static final byte[] HERE = CString.of("");

  private final Syscalls sys;

  public MountNamespace(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * mount(2) of a file system.
   *
   * @param source a device, or any name for those that have none
   * @param type such as {@code btrfs}
   * @param options the file system's own, separated by commas; may be empty
   */
  public void mount(String source, Path target, String type, Set<MountFlag> flags, String options) {
    byte[] data = options.isEmpty() ? null : CString.of(options);
    raw(CString.of(source), target, CString.of(type), MountFlag.mountBits(flags), data, "mount");
  }

  /** Makes a directory or file visible at another place, without what is mounted below it. */
  public void bind(Path source, Path target) {
    bind(source, target, Set.of());
  }

  /** As {@link #bind(Path, Path)}, with flags for the new place only. */
  public void bind(Path source, Path target, Set<MountFlag> flags) {
    bind(source, target, flags, Constants.MS_BIND);
  }

  /**
   * Makes a directory below another one visible at another place. Whoever changes what is there
   * meanwhile: no link on the way is followed, and the other one is not left.
   *
   * @param below names with slashes between
   * @throws LinuxException ENOENT; ELOOP where there is a link on the way; ENOTDIR
   */
  public void bindBelow(Path source, String below, Path target, Set<MountFlag> flags) {
    try (Fd base = Fd.openDirectory(sys, source);
        Fd directory = below(base, below);
        Fd tree = cloneTree(directory, below)) {
      attach(tree, target);
    }
    if (!flags.isEmpty()) {
      try {
        setFlags(target, flags, Set.of(), false);
      } catch (RuntimeException e) {
        undo(target, e);
        throw e;
      }
    }
  }

  private Fd below(Fd base, String below) {
    ByteBuffer how = Syscalls.buffer(Layout.open_how_SIZEOF);
    how.putLong(
        Layout.open_how_flags, Constants.O_PATH | Constants.O_DIRECTORY | Constants.O_CLOEXEC);
    how.putLong(
        Layout.open_how_resolve,
        Constants.RESOLVE_BENEATH
            | Constants.RESOLVE_NO_SYMLINKS
            | Constants.RESOLVE_NO_MAGICLINKS);
    int number = sys.openat2(base.number(), CString.of(below), how);
    return Fd.adopt(sys, sys.check(number, "openat2", below), below);
  }

  private Fd cloneTree(Fd directory, String name) {
    int flags = Constants.OPEN_TREE_CLONE | Constants.OPEN_TREE_CLOEXEC | Constants.AT_EMPTY_PATH;
    int tree = sys.openTree(directory.number(), HERE, flags);
    return Fd.adopt(sys, sys.check(tree, "open_tree", name), "mount of " + name);
  }

  /**
   * As {@link #bind(Path, Path, Set)}, with what is mounted below; the flags hold for all of it.
   */
  public void bindRecursively(Path source, Path target, Set<MountFlag> flags) {
    bind(source, target, flags, Constants.MS_BIND | Constants.MS_REC);
  }

  private void bind(Path source, Path target, Set<MountFlag> flags, int how) {
    raw(CString.of(source), target, null, how, null, "mount(MS_BIND)");
    if (flags.isEmpty()) {
      return;
    }
    try {
      // A bind mount ignores flags at first: they are set in a second step.
      setFlags(target, flags, Set.of(), (how & Constants.MS_REC) != 0);
    } catch (RuntimeException e) {
      undo(target, e);
      throw e;
    }
  }

  /**
   * Sets and clears flags of a mount.
   *
   * @param recursive whether those below it too
   */
  public void setFlags(Path target, Set<MountFlag> set, Set<MountFlag> clear, boolean recursive) {
    ByteBuffer attributes = Syscalls.buffer(Layout.mount_attr_SIZEOF);
    attributes.putLong(Layout.mount_attr_attr_set, MountFlag.attributeBits(set));
    attributes.putLong(Layout.mount_attr_attr_clr, MountFlag.attributesToClear(set, clear));
    int flags = recursive ? Constants.AT_RECURSIVE : 0;
    byte[] path = CString.of(target);
    int result = sys.mountSetattr(Constants.AT_FDCWD, path, flags, attributes);
    sys.check(result, "mount_setattr", target);
  }

  /** Says how mounts below {@code target} travel. */
  public void propagation(Path target, Propagation propagation, boolean recursive) {
    int bits = propagation.bits | (recursive ? Constants.MS_REC : 0);
    raw(null, target, null, bits, null, "mount(propagation)");
  }

  /** MountNamespace with other options, such as a new size for a tmpfs. */
  public void remount(Path target, Set<MountFlag> flags, String options) {
    int bits = Constants.MS_REMOUNT | MountFlag.mountBits(flags);
    byte[] data = options.isEmpty() ? null : CString.of(options);
    raw(null, target, null, bits, data, "mount(MS_REMOUNT)");
  }

  /**
   * A file system in memory.
   *
   * @param bytes its limit, above 0
   * @param permissions of its root, the low twelve bits
   */
  public void tmpfs(Path target, long bytes, int permissions, Set<MountFlag> flags) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("tmpfs at " + target + ": size " + bytes);
    }
    String options = String.format(Locale.ROOT, "size=%d,mode=%o", bytes, permissions);
    mount("tmpfs", target, "tmpfs", flags, options);
  }

  /**
   * An overlay.
   *
   * @param lowers read-only layers, the uppermost first
   * @param upper takes the changes
   * @param work an empty directory on the file system of {@code upper}
   * @param options more options of overlayfs, such as {@code metacopy=on}; may be empty
   */
  public void overlay(
      List<Path> lowers, Path upper, Path work, Path target, Set<MountFlag> flags, String options) {
    String layers = lowers.stream().map(MountNamespace::escaped).collect(Collectors.joining(":"));
    String all =
        "lowerdir="
            + layers
            + ",upperdir="
            + escaped(upper)
            + ",workdir="
            + escaped(work)
            + (options.isEmpty() ? "" : "," + options);
    mount("overlay", target, "overlay", flags, all);
  }

  /** Separators of overlayfs' options are escaped by a backslash. */
  private static String escaped(Path path) {
    return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }

  /**
   * Makes a directory visible at another place with the owners of its files mapped: what belongs to
   * 0 on disk belongs to the id there that 0 of the user namespace stands for.
   *
   * @param users a user namespace other than the first one; its map is the mount's map
   * @throws LinuxException EINVAL if the file system cannot do it
   */
  public void bindIdmapped(Path source, Path target, UserNamespace users, Set<MountFlag> flags) {
    bindIdmapped(source, target, users, flags, false);
  }

  /** As {@link #bindIdmapped(Path, Path, UserNamespace, Set)}, with what is mounted below. */
  public void bindIdmappedRecursively(
      Path source, Path target, UserNamespace users, Set<MountFlag> flags) {
    bindIdmapped(source, target, users, flags, true);
  }

  private void bindIdmapped(
      Path source, Path target, UserNamespace users, Set<MountFlag> flags, boolean recursive) {
    try (Fd tree = cloneTree(source, users, flags, recursive)) {
      attach(tree, target);
    }
  }

  /**
   * As {@link #cloneTree(Path)}, with the owners of its files mapped.
   *
   * @param recursive whether with what is mounted below
   */
  public Fd cloneTree(Path source, UserNamespace users, Set<MountFlag> flags, boolean recursive) {
    int below = recursive ? Constants.AT_RECURSIVE : 0;
    Fd tree = cloneTree(source, below);
    try {
      ByteBuffer attributes = Syscalls.buffer(Layout.mount_attr_SIZEOF);
      long set = Constants.MOUNT_ATTR_IDMAP | MountFlag.attributeBits(flags);
      attributes.putLong(Layout.mount_attr_attr_set, set);
      int clear = MountFlag.attributesToClear(flags, Set.of());
      attributes.putLong(Layout.mount_attr_attr_clr, clear);
      attributes.putLong(Layout.mount_attr_userns_fd, users.fd().number());
      int how = Constants.AT_EMPTY_PATH | below;
      int result = sys.mountSetattr(tree.number(), HERE, how, attributes);
      sys.check(result, "mount_setattr(MOUNT_ATTR_IDMAP)", source);
      return tree;
    } catch (RuntimeException e) {
      tree.close();
      throw e;
    }
  }

  /**
   * A mount of a directory that is attached nowhere yet; see open_tree(2). It is gone when the
   * descriptor is closed, unless it has been attached.
   */
  public Fd cloneTree(Path source) {
    return cloneTree(source, 0);
  }

  /** As {@link #cloneTree(Path)}, with what is mounted below. */
  public Fd cloneTreeRecursively(Path source) {
    return cloneTree(source, Constants.AT_RECURSIVE);
  }

  private Fd cloneTree(Path source, int below) {
    int flags = Constants.OPEN_TREE_CLONE | Constants.OPEN_TREE_CLOEXEC | below;
    int tree = sys.openTree(Constants.AT_FDCWD, CString.of(source), flags);
    return Fd.adopt(sys, sys.check(tree, "open_tree", source), "mount of " + source);
  }

  /** Attaches what {@link #cloneTree} made; see move_mount(2). */
  public void attach(Fd tree, Path target) {
    int flags = Constants.MOVE_MOUNT_F_EMPTY_PATH;
    byte[] to = CString.of(target);
    int result = sys.moveMount(tree.number(), HERE, Constants.AT_FDCWD, to, flags);
    sys.check(result, "move_mount", target);
  }

  /**
   * Unmounts, failing if it is in use.
   *
   * @throws LinuxException EBUSY if it is in use; EINVAL if it is not a mount point
   */
  public void unmount(Path target) {
    unmount(target, Constants.UMOUNT_NOFOLLOW);
  }

  /** Detaches the mount and all below it at once; it goes when its last user goes. */
  public void unmountLazily(Path target) {
    unmount(target, Constants.UMOUNT_NOFOLLOW | Constants.MNT_DETACH);
  }

  /**
   * As {@link #unmountLazily}.
   *
   * @return false if it is no mount point or does not exist
   */
  public boolean unmountLazilyIfMounted(Path target) {
    int flags = Constants.UMOUNT_NOFOLLOW | Constants.MNT_DETACH;
    int result = sys.libc().umount2(CString.of(target), flags);
    return sys.checkUnless(result, "umount2", target, Errno.EINVAL, Errno.ENOENT) >= 0;
  }

  private void unmount(Path target, int flags) {
    sys.check(sys.libc().umount2(CString.of(target), flags), "umount2", target);
  }

  private void undo(Path target, RuntimeException reason) {
    try {
      unmountLazily(target);
    } catch (RuntimeException e) {
      reason.addSuppressed(e);
    }
  }

  private void raw(
      byte @Nullable [] source,
      Path target,
      byte @Nullable [] type,
      long flags,
      byte @Nullable [] data,
      String call) {
    sys.check(sys.libc().mount(source, CString.of(target), type, flags, data), call, target);
  }
}
