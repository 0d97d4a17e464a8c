package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.file.Path;
import java.util.Set;

/**
 * Work in the mount namespace of another thread of this process, which does not wait for it. A
 * thread of its own goes there and ends with the work: it holds the namespace no longer.
 */
public final class MountsApart {
  private final Syscalls sys;

  public MountsApart(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Does it and waits; an interrupt neither drops nor shortens it, and stays set.
   *
   * @param tid of the thread whose namespace it is
   * @throws dev.stapes.linux.ffi.LinuxException of the work, or where nobody can go there: EPERM
   *     without CAP_SYS_ADMIN
   */
  public void run(int tid, Runnable work) {
    Joins.run(
        "stapes-mounts-apart",
        () -> {
          enter(tid);
          work.run();
        });
  }

  /** Only who shares root and working directory with nobody may go (setns(2), EINVAL). */
  private void enter(int tid) {
    Path namespace = Path.of("/proc/self/task/" + tid + "/ns/mnt");
    try (Fd there = Fd.open(sys, namespace, Set.of(OpenFlag.READ))) {
      sys.check(sys.libc().unshare(Constants.CLONE_FS), "unshare(CLONE_FS)", there);
      sys.check(sys.libc().setns(there.number(), Constants.CLONE_NEWNS), "setns", there);
    }
  }
}
