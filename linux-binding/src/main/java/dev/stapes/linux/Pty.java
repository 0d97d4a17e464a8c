package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A pseudo-terminal, seen from its master side; see pty(7). */
public final class Pty implements AutoCloseable {
  /**
   * What a terminal shows.
   *
   * @param columns 0 to 65535
   * @param rows 0 to 65535
   */
  public record Size(int columns, int rows) {
    /**
     * @throws IllegalArgumentException if a number is out of range
     */
    public Size {
      if (columns < 0 || columns > 0xFFFF || rows < 0 || rows > 0xFFFF) {
        throw new IllegalArgumentException("not a terminal's size: " + columns + "x" + rows);
      }
    }
  }

  private final Syscalls sys;
  private final Fd master;
  private final Path slave;

  private Pty(Syscalls sys, Fd master, Path slave) {
    this.sys = sys;
    this.master = master;
    this.slave = slave;
  }

  /** A terminal of the host. */
  public static Pty open(Syscalls sys) {
    return open(sys, Path.of("/dev/ptmx"), Path.of("/dev/pts"));
  }

  /**
   * A terminal of another devpts file system, such as a container's.
   *
   * @param devpts where it is mounted or can be reached
   */
  public static Pty open(Syscalls sys, Path devpts) {
    return open(sys, devpts.resolve("ptmx"), devpts);
  }

  private static Pty open(Syscalls sys, Path ptmx, Path devpts) {
    int flags = Constants.O_RDWR | Constants.O_NOCTTY | Constants.O_CLOEXEC;
    int number = sys.check(sys.libc().open(CString.of(ptmx), flags, 0), "open", ptmx);
    Fd master = Fd.adopt(sys, number, ptmx.toString());
    try {
      ByteBuffer value = Syscalls.buffer(Integer.BYTES);
      sys.check(sys.libc().ioctl(number, Constants.TIOCSPTLCK, value), "ioctl(TIOCSPTLCK)", ptmx);
      sys.check(sys.libc().ioctl(number, Constants.TIOCGPTN, value), "ioctl(TIOCGPTN)", ptmx);
      return new Pty(sys, master, devpts.resolve(Integer.toString(value.getInt(0))));
    } catch (RuntimeException e) {
      master.close();
      throw e;
    }
  }

  /** The master side; owned by this. */
  public Fd master() {
    return master;
  }

  /** The slave side's name in its devpts. */
  public Path slavePath() {
    return slave;
  }

  /** Opens the slave side, from whatever mount namespace; see ioctl_tty(2), TIOCGPTPEER. */
  public Fd openSlave() {
    long flags = Constants.O_RDWR | Constants.O_NOCTTY | Constants.O_CLOEXEC;
    int fd = sys.libc().ioctl(master.number(), Constants.TIOCGPTPEER, flags);
    return Fd.adopt(sys, sys.check(fd, "ioctl(TIOCGPTPEER)", slave), slave.toString());
  }

  /** The size that programs on it see. */
  public Size size() {
    ByteBuffer winsize = Syscalls.buffer(Layout.winsize_SIZEOF);
    int result = sys.libc().ioctl(master.number(), Constants.TIOCGWINSZ, winsize);
    sys.check(result, "ioctl(TIOCGWINSZ)", slave);
    return new Size(
        winsize.getShort(Layout.winsize_ws_col) & 0xFFFF,
        winsize.getShort(Layout.winsize_ws_row) & 0xFFFF);
  }

  /** Sets the size; the foreground process group gets SIGWINCH if it changed. */
  public void resize(Size size) {
    ByteBuffer winsize = Syscalls.buffer(Layout.winsize_SIZEOF);
    winsize.putShort(Layout.winsize_ws_col, (short) size.columns());
    winsize.putShort(Layout.winsize_ws_row, (short) size.rows());
    int result = sys.libc().ioctl(master.number(), Constants.TIOCSWINSZ, winsize);
    sys.check(result, "ioctl(TIOCSWINSZ)", slave);
  }

  /** Closes the master side: programs on the terminal get SIGHUP. */
  @Override
  public void close() {
    master.close();
  }
}
