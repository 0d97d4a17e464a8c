package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Children of this JVM whose spawner was closed before they ended. Nobody else can reap them: until
 * then what has ended stays a zombie, with its number. Other spawners do it.
 */
final class Abandoned {
  private static final Set<Integer> PIDS = ConcurrentHashMap.newKeySet();

  private Abandoned() {}

  /** Takes one over. */
  static void add(int pid) {
    PIDS.add(pid);
  }

  /** The number is another child's now. */
  static void forget(int pid) {
    PIDS.remove(pid);
  }

  /** Reaps those that have ended; does not wait. */
  static void reap(Syscalls sys) {
    PIDS.removeIf(pid -> hasEnded(sys, pid));
  }

  private static boolean hasEnded(Syscalls sys, int pid) {
    ByteBuffer info = Syscalls.buffer(Layout.siginfo_t_SIZEOF);
    int result =
        sys.libc().waitid(Constants.P_PID, pid, info, Constants.WEXITED | Constants.WNOHANG);
    int known = sys.checkUnless(result, "waitid", pid, Errno.ECHILD, Errno.EINTR);
    return known == -Errno.ECHILD || (known == 0 && info.getInt(Layout.siginfo_t_si_pid) == pid);
  }
}
