package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/**
 * For as long as it is open the calling thread makes files as another user, but keeps its
 * capabilities; setfsuid(2). Below an idmapped mount there is no other way: what the caller would
 * make as itself has no owner there, and fails with EOVERFLOW. Nothing else may happen on the
 * thread meanwhile.
 *
 * <p>The kernel takes file capabilities from a thread whose fsuid is no longer 0 and makes the
 * process undumpable; both are given back.
 */
final class FsIds implements AutoCloseable {
  private static final int UNCHANGED = -1;

  private final Syscalls sys;
  private final int uid;
  private final int gid;
  private final int dumpable;

  private FsIds(Syscalls sys, int uid, int gid, int dumpable) {
    this.sys = sys;
    this.uid = uid;
    this.gid = gid;
    this.dumpable = dumpable;
  }

  static FsIds enter(Syscalls sys, FileTree.Owner owner) {
    LibC libc = sys.libc();
    ByteBuffer header = Syscalls.buffer(Layout.__user_cap_header_struct_SIZEOF);
    header.putInt(0, Constants._LINUX_CAPABILITY_VERSION_3);
    ByteBuffer capabilities = Syscalls.buffer(2 * Layout.__user_cap_data_struct_SIZEOF);
    sys.check(libc.capget(header, capabilities), "capget", "thread");
    int dumpable = libc.prctl(Constants.PR_GET_DUMPABLE, 0, 0, 0, 0);
    int gid = libc.setfsgid((int) owner.gid());
    int uid = libc.setfsuid((int) owner.uid());
    FsIds entered = new FsIds(sys, uid, gid, dumpable);
    try {
      if (libc.setfsuid(UNCHANGED) != (int) owner.uid()
          || libc.setfsgid(UNCHANGED) != (int) owner.gid()) {
        throw new LinuxException("setfsuid", owner, Errno.EPERM);
      }
      sys.check(libc.capset(header, capabilities), "capset", "thread");
      return entered;
    } catch (RuntimeException e) {
      entered.close();
      throw e;
    }
  }

  /** Leaves errno of the call in between as it is. */
  @Override
  public void close() {
    int errno = sys.errno();
    sys.libc().setfsuid(uid);
    sys.libc().setfsgid(gid);
    if (dumpable == 1) {
      sys.libc().prctl(Constants.PR_SET_DUMPABLE, 1, 0, 0, 0);
    }
    Syscalls.errno(errno);
  }
}
