package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ExecSpec.TerminalSize;
import java.nio.ByteBuffer;

/**
 * A new terminal in a container's devpts, held by its master side. Programs inside know it by name,
 * which a terminal of the host could not give them.
 *
 * @param master the master side, non-blocking
 * @param number its name below {@code /dev/pts}
 */
record ContainerTerminal(Fd master, int number) implements AutoCloseable {
  /**
   * Makes one.
   *
   * @param devpts the container's devpts, as its monitor mounted it
   * @param uid the host's id of who shall own it
   * @param gid the host's group that shall own it
   */
  static ContainerTerminal open(Syscalls sys, Fd devpts, long uid, long gid) {
    // The container's root may mount anything over "ptmx" or link it: neither is followed.
    ByteBuffer how = Syscalls.buffer(Layout.open_how_SIZEOF);
    int flags = Constants.O_RDWR | Constants.O_NOCTTY | Constants.O_NONBLOCK | Constants.O_CLOEXEC;
    how.putLong(Layout.open_how_flags, flags);
    how.putLong(
        Layout.open_how_resolve,
        Constants.RESOLVE_NO_XDEV | Constants.RESOLVE_NO_SYMLINKS | Constants.RESOLVE_BENEATH);
    int opened = sys.openat2(devpts.number(), CString.of("ptmx"), how);
    Fd master = Fd.adopt(sys, sys.check(opened, "openat2", "ptmx"), "terminal");
    try {
      ByteBuffer value = Syscalls.buffer(Integer.BYTES);
      control(sys, master, Constants.TIOCSPTLCK, value, "TIOCSPTLCK");
      control(sys, master, Constants.TIOCGPTN & 0xFFFF_FFFFL, value, "TIOCGPTN");
      long peer = Constants.O_RDWR | Constants.O_NOCTTY | Constants.O_CLOEXEC;
      int slave = sys.libc().ioctl(master.number(), Constants.TIOCGPTPEER, peer);
      try (Fd fd = Fd.adopt(sys, sys.check(slave, "ioctl(TIOCGPTPEER)", "terminal"), "terminal")) {
        fd.chown(uid, gid);
      }
      return new ContainerTerminal(master, value.getInt(0));
    } catch (RuntimeException e) {
      master.close();
      throw e;
    }
  }

  /** Sets the size; programs on it are told when it changed. */
  void resize(Syscalls sys, TerminalSize size) {
    ByteBuffer winsize = Syscalls.buffer(Layout.winsize_SIZEOF);
    winsize.putShort(Layout.winsize_ws_col, (short) size.columns());
    winsize.putShort(Layout.winsize_ws_row, (short) size.rows());
    control(sys, master, Constants.TIOCSWINSZ, winsize, "TIOCSWINSZ");
  }

  @Override
  public void close() {
    master.close();
  }

  private static void control(Syscalls sys, Fd fd, long request, ByteBuffer value, String name) {
    int result = sys.libc().ioctl(fd.number(), request, value);
    sys.check(result, "ioctl(" + name + ")", fd);
  }
}
