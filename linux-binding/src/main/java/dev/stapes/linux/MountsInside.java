package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Mounts in the mount namespace of another process, without its help: a thread goes there and back,
 * under the rules of {@link RootChange}. Needs CAP_SYS_ADMIN over the namespace.
 */
public final class MountsInside {
  private static final byte[] NOTHING = CString.of("");
  private static final int NO_DESCRIPTOR = -1;

  private final Syscalls sys;
  private final LibC libc;

  public MountsInside(Syscalls sys) {
    this.sys = sys;
    this.libc = sys.libc();
  }

  /** Keeps who uses a tree, which is attached nowhere yet, from writing to it. */
  public void setReadOnly(Fd tree, boolean recursive) {
    ByteBuffer attributes = Syscalls.buffer(Layout.mount_attr_SIZEOF);
    attributes.putLong(
        Layout.mount_attr_attr_set, MountFlag.attributeBits(Set.of(MountFlag.READ_ONLY)));
    int how = Constants.AT_EMPTY_PATH | (recursive ? Constants.AT_RECURSIVE : 0);
    sys.check(sys.mountSetattr(tree.number(), NOTHING, how, attributes), "mount_setattr", tree);
  }

  /**
   * Attaches a tree to a directory that a process sees. Links on the way are not followed.
   *
   * @param tree attached nowhere, see {@link MountNamespace#cloneTree(Path)}
   * @param path absolute, as the process sees it
   * @param alive whether the process still is the one that is meant, once its namespace is held
   * @throws LinuxException ENOENT; ELOOP where there is a link; ENOTDIR; ESRCH where it has ended
   */
  public void attach(Fd tree, long pid, String path, BooleanSupplier alive) {
    try (Fd root = Fd.openDirectory(sys, Path.of("/proc", Long.toString(pid), "root"));
        Fd target = below(root, path)) {
      visit(pid, alive, "move_mount", path, new Steps(tree.number(), target.number(), NOTHING));
    }
  }

  /**
   * Unmounts what is mounted last at a path that a process sees.
   *
   * @return false where nothing is mounted there
   * @throws LinuxException EBUSY where somebody uses it; ESRCH where the process has ended
   */
  public boolean detach(long pid, String path, BooleanSupplier alive) {
    try {
      Steps steps = new Steps(NO_DESCRIPTOR, NO_DESCRIPTOR, CString.of(path));
      visit(pid, alive, "umount2", path, steps);
      return true;
    } catch (LinuxException e) {
      // One that the kernel keeps there is EINVAL, too.
      boolean none = e.is(Errno.ENOENT) || (e.is(Errno.EINVAL) && !isMounted(pid, path));
      if (none) {
        return false;
      }
      throw e;
    }
  }

  private static boolean isMounted(long pid, String path) {
    return MountTable.ofProcess((int) pid).at(Path.of(path)).isPresent();
  }

  private Fd below(Fd root, String path) {
    ByteBuffer how = Syscalls.buffer(Layout.open_how_SIZEOF);
    how.putLong(
        Layout.open_how_flags, Constants.O_PATH | Constants.O_DIRECTORY | Constants.O_CLOEXEC);
    how.putLong(
        Layout.open_how_resolve,
        Constants.RESOLVE_IN_ROOT
            | Constants.RESOLVE_NO_SYMLINKS
            | Constants.RESOLVE_NO_MAGICLINKS);
    int number = sys.openat2(root.number(), CString.of(path), how);
    return Fd.adopt(sys, sys.check(number, "openat2", path), path);
  }

  private void visit(long pid, BooleanSupplier alive, String call, String path, Steps steps) {
    Joins.run("stapes-mounts-of-" + pid, () -> visitHere(pid, alive, call, path, steps));
  }

  private void visitHere(long pid, BooleanSupplier alive, String call, String path, Steps steps) {
    try (Fd own = namespace("thread-self");
        Fd there = namespace(Long.toString(pid))) {
      if (!alive.getAsBoolean()) {
        sys.checkReturned(Errno.ESRCH, call, path);
      }
      sys.check(libc.unshare(Constants.CLONE_FS), "unshare(CLONE_FS)", path);
      Steps rehearsal = new Steps(NO_DESCRIPTOR, NO_DESCRIPTOR, NOTHING);
      goAndReturn(rehearsal, NO_DESCRIPTOR, NO_DESCRIPTOR, true);
      int back = goAndReturn(steps, there.number(), own.number(), false);
      sys.check(back, "setns", own);
      sys.checkReturned(steps.errno, steps.entered ? call : "setns", path);
    }
  }

  private Fd namespace(String process) {
    return Fd.open(sys, Path.of("/proc", process, "ns", "mnt"), Set.of());
  }

  /** Says whether it is back. */
  private int goAndReturn(Steps steps, int there, int back, boolean rehearsal) {
    if (libc.setns(there, Constants.CLONE_NEWNS) < 0) {
      steps.errno = sys.errno();
      if (!rehearsal) {
        return 0;
      }
    }
    steps.entered = true;
    steps.run(sys, libc, rehearsal);
    return libc.setns(back, Constants.CLONE_NEWNS);
  }

  /** What is done there: primitive, see above. */
  private static final class Steps {
    private final int tree;
    private final int target;
    private final byte[] path;
    private boolean entered;
    private int errno;

    Steps(int tree, int target, byte[] path) {
      this.tree = tree;
      this.target = target;
      this.path = path;
    }

    void run(Syscalls sys, LibC libc, boolean rehearsal) {
      int result = 0;
      if (rehearsal || target >= 0) {
        int flags = Constants.MOVE_MOUNT_F_EMPTY_PATH | Constants.MOVE_MOUNT_T_EMPTY_PATH;
        result = sys.moveMount(tree, NOTHING, target, NOTHING, flags);
        if (result < 0) {
          errno = sys.errno();
        }
      }
      if (rehearsal || target < 0) {
        result = libc.umount2(path, Constants.UMOUNT_NOFOLLOW);
        if (result < 0) {
          errno = sys.errno();
        }
      }
    }
  }
}
