package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Gives the processes of another mount namespace a new root directory, and a host name, without
 * their help: a thread goes there and back. It is one of its own, since others reach files by way
 * of threads (see {@link Spawner#view}). Needs CAP_SYS_ADMIN over the namespaces.
 *
 * <p>While the thread is there its files are those of the other namespace, which are not to be
 * trusted: a class that the JVM came to load would come from them. So all that is executed then has
 * been executed before, on arguments with which it fails, and nothing is made or thrown.
 */
public final class RootChange {
  /** Where the old root has an empty directory for the new one to be attached to. */
  public static final String PLACE = "root";

  private static final byte[] HERE = CString.of(".");
  private static final byte[] NOTHING = CString.of("");
  private static final int NO_DESCRIPTOR = -1;

  private static final int OPEN =
      Constants.O_PATH | Constants.O_DIRECTORY | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;

  private final Syscalls sys;
  private final LibC libc;

  public RootChange(Syscalls sys) {
    this.sys = sys;
    this.libc = sys.libc();
  }

  /**
   * Changes the root of all processes whose root is that of the namespace, see pivot_root(2). What
   * was mounted on the old root and is not carried over is gone. Where it fails nobody has the new
   * root, but mounts may have been moved: the namespace is good for nothing then.
   *
   * @param tree the new root, attached nowhere (see {@link MountNamespace#cloneTree(Path)})
   * @param pid a process in the namespaces, of which the caller knows that it has not ended
   * @param carried directories of the old root that are mount points, and real directories of the
   *     new one, where they are moved to with all that is mounted below; names, not paths
   * @param hostName for its UTS namespace
   * @throws LinuxException of the call that failed; ENOENT, ELOOP or ENOTDIR where the new root
   *     lacks a directory
   */
  public void run(Fd tree, long pid, List<String> carried, String hostName) {
    Joins.run("stapes-root-of-" + pid, () -> visit(tree, pid, carried, hostName));
  }

  private void visit(Fd tree, long pid, List<String> carried, String hostName) {
    byte[] name = hostName.getBytes(StandardCharsets.US_ASCII);
    Steps steps = new Steps(tree.number(), CString.of("/"), CString.of("/" + PLACE), carried);
    Steps rehearsal = new Steps(NO_DESCRIPTOR, NOTHING, NOTHING, carried);
    try (Fd ownMounts = namespace("thread-self", "mnt");
        Fd ownNames = namespace("thread-self", "uts");
        Fd mounts = namespace(Long.toString(pid), "mnt");
        Fd names = namespace(Long.toString(pid), "uts")) {
      sys.check(libc.unshare(Constants.CLONE_FS), "unshare(CLONE_FS)", tree);
      sys.check(libc.setns(names.number(), Constants.CLONE_NEWUTS), "setns", names);
      int named = libc.sethostname(name, name.length);
      int error = named < 0 ? sys.errno() : 0;
      sys.check(libc.setns(ownNames.number(), Constants.CLONE_NEWUTS), "setns", ownNames);
      sys.checkReturned(error, "sethostname", hostName);

      visit(rehearsal, NO_DESCRIPTOR, NO_DESCRIPTOR, true);
      int back = visit(steps, mounts.number(), ownMounts.number(), false);
      sys.check(back, "setns", ownMounts);
      sys.checkReturned(steps.errno, Steps.CALLS[steps.failed], tree);
    }
  }

  private Fd namespace(String process, String name) {
    return Fd.open(sys, Path.of("/proc", process, "ns", name), Set.of());
  }

  /** There and back; says whether it is back. */
  private int visit(Steps steps, int there, int back, boolean rehearsal) {
    if (libc.setns(there, Constants.CLONE_NEWNS) < 0) {
      steps.failed = 0;
      steps.errno = sys.errno();
      if (!rehearsal) {
        return 0;
      }
    }
    steps.run(sys, libc, rehearsal);
    return libc.setns(back, Constants.CLONE_NEWNS);
  }

  /** What is done there: primitive, see above. */
  private static final class Steps {
    static final String[] CALLS = {
      "setns",
      "mount(MS_PRIVATE)",
      "move_mount",
      "openat",
      "move_mount of a carried mount",
      "fchdir",
      "pivot_root",
      "umount2",
      "mount(MS_SHARED)"
    };

    private final int tree;
    private final byte[] root;
    private final byte[] place;
    private final byte[][] names;
    private final byte[][] mounts;
    private int failed;
    private int errno;

    Steps(int tree, byte[] root, byte[] place, List<String> carried) {
      this.tree = tree;
      this.root = root;
      this.place = place;
      this.names = new byte[carried.size()][];
      this.mounts = new byte[carried.size()][];
      for (int i = 0; i < names.length; i++) {
        names[i] = CString.of(carried.get(i));
        mounts[i] = CString.of("/" + carried.get(i));
      }
    }

    void run(Syscalls sys, LibC libc, boolean rehearsal) {
      // Nothing can be moved away from a shared mount.
      int result = libc.mount(null, root, null, Constants.MS_PRIVATE | Constants.MS_REC, null);
      if (over(sys, 1, result, rehearsal)) {
        return;
      }
      result =
          sys.moveMount(
              tree, NOTHING, Constants.AT_FDCWD, place, Constants.MOVE_MOUNT_F_EMPTY_PATH);
      if (over(sys, 2, result, rehearsal)) {
        return;
      }
      for (int i = 0; i < names.length; i++) {
        // By its descriptor: the new root may be full of links that lead elsewhere.
        int to = libc.openat(tree, names[i], OPEN, 0);
        if (over(sys, 3, to, rehearsal)) {
          return;
        }
        byte[] from = rehearsal ? NOTHING : mounts[i];
        result =
            sys.moveMount(Constants.AT_FDCWD, from, to, NOTHING, Constants.MOVE_MOUNT_T_EMPTY_PATH);
        boolean over = over(sys, 4, result, rehearsal);
        libc.close(to);
        if (over) {
          return;
        }
      }
      change(sys, libc, rehearsal);
    }

    private void change(Syscalls sys, LibC libc, boolean rehearsal) {
      if (over(sys, 5, libc.fchdir(tree), rehearsal)) {
        return;
      }
      byte[] here = rehearsal ? NOTHING : HERE;
      if (over(sys, 6, sys.pivotRoot(here, here), rehearsal)) {
        return;
      }
      // The old root lies over the new one now.
      if (over(sys, 7, libc.umount2(here, Constants.MNT_DETACH), rehearsal)) {
        return;
      }
      int result = libc.mount(null, root, null, Constants.MS_SHARED | Constants.MS_REC, null);
      over(sys, 8, result, rehearsal);
    }

    private boolean over(Syscalls sys, int step, int result, boolean rehearsal) {
      if (result >= 0) {
        return false;
      }
      failed = step;
      errno = sys.errno();
      return !rehearsal;
    }
  }
}
