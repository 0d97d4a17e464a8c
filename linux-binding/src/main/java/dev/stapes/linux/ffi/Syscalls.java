package dev.stapes.linux.ffi;

import static dev.stapes.linux.ffi.Constants.SYS_close_range;
import static dev.stapes.linux.ffi.Constants.SYS_getdents64;
import static dev.stapes.linux.ffi.Constants.SYS_gettid;
import static dev.stapes.linux.ffi.Constants.SYS_mknodat;
import static dev.stapes.linux.ffi.Constants.SYS_mount_setattr;
import static dev.stapes.linux.ffi.Constants.SYS_move_mount;
import static dev.stapes.linux.ffi.Constants.SYS_open_tree;
import static dev.stapes.linux.ffi.Constants.SYS_openat2;
import static dev.stapes.linux.ffi.Constants.SYS_pidfd_open;
import static dev.stapes.linux.ffi.Constants.SYS_pidfd_send_signal;
import static dev.stapes.linux.ffi.Constants.SYS_pivot_root;
import static dev.stapes.linux.ffi.Constants.SYS_quotactl_fd;
import static dev.stapes.linux.ffi.Constants.SYS_renameat2;
import static dev.stapes.linux.ffi.Constants.SYS_statx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import jnr.ffi.LibraryLoader;
import jnr.ffi.LibraryOption;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/**
 * A {@link LibC} with its error handling. Every class of this module works over one of these: over
 * {@link #system} in production, {@link #over} a fake or a fault injector in tests.
 *
 * <p>Thread-safe. A call that fails with {@code EINTR} is not repeated here; those that block
 * repeat it themselves.
 */
public final class Syscalls {
  private final LibC libc;

  private Syscalls(LibC libc) {
    this.libc = libc;
  }

  /**
   * The machine's own C library, loaded at the first call.
   *
   * @throws UnsupportedOperationException if it cannot be used; {@link #unavailable} says why
   */
  public static Syscalls system() {
    Syscalls loaded = Loaded.SYSCALLS;
    if (loaded == null) {
      throw new UnsupportedOperationException(
          "C library: cannot be used: " + Loaded.REASON, Loaded.FAILURE);
    }
    return loaded;
  }

  /** Why {@link #system} would fail here; empty if it works. */
  public static Optional<String> unavailable() {
    return Loaded.SYSCALLS == null ? Optional.of(Loaded.REASON) : Optional.empty();
  }

  /** The same error handling over another {@code LibC}. */
  public static Syscalls over(LibC libc) {
    return new Syscalls(libc);
  }

  /** The functions themselves. */
  public LibC libc() {
    return libc;
  }

  /** The error number of the last call on this thread that failed. */
  public int errno() {
    return Runtime.getSystemRuntime().getLastError();
  }

  /** Sets what {@link #errno} answers on this thread: for implementations of {@link LibC}. */
  public static void errno(int errno) {
    Runtime.getSystemRuntime().setLastError(errno);
  }

  /**
   * Passes on the result of a call.
   *
   * @param result what the call returned; negative means that it failed
   * @param call its C name
   * @param subject what it was called on, for the message
   * @throws LinuxException if it failed
   */
  public int check(int result, String call, @Nullable Object subject) {
    if (result < 0) {
      throw new LinuxException(call, subject, errno());
    }
    return result;
  }

  /** As {@link #check(int, String, Object)}. */
  public long check(long result, String call, @Nullable Object subject) {
    if (result < 0) {
      throw new LinuxException(call, subject, errno());
    }
    return result;
  }

  /**
   * Passes on the result of a call, and an expected failure as its negated error number: a caller
   * that reckons with {@code ENOENT} pays for no exception.
   *
   * @param expected the error numbers that are no surprise
   * @return the call's result, or {@code -errno} if {@code errno} is one of {@code expected}
   * @throws LinuxException if it failed otherwise
   */
  public int checkUnless(int result, String call, @Nullable Object subject, int... expected) {
    if (result >= 0) {
      return result;
    }
    int errno = errno();
    for (int candidate : expected) {
      if (candidate == errno) {
        return -errno;
      }
    }
    throw new LinuxException(call, subject, errno);
  }

  /** Passes on the result of the functions that return their error number (posix_spawn, ...). */
  public void checkReturned(int error, String call, @Nullable Object subject) {
    if (error != 0) {
      throw new LinuxException(call, subject, error);
    }
  }

  /** Whether the call that just returned {@code result} was only interrupted by a signal. */
  public boolean interrupted(long result) {
    return result < 0 && errno() == Errno.EINTR;
  }

  /** A zeroed buffer outside the heap in native byte order. */
  public static ByteBuffer buffer(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  /** Zeroed native memory that is freed when the pointer is garbage. */
  public static Pointer memory(int size) {
    Pointer memory = Memory.allocateDirect(Runtime.getSystemRuntime(), size, true);
    memory.setMemory(0, size, (byte) 0);
    return memory;
  }

  // ---- system calls by number, under their names; they return -1 and set errno like the others

  /** openat2(2); {@code how} is an {@code open_how}. */
  public int openat2(int dirfd, byte[] path, ByteBuffer how) {
    return (int) libc.syscall(SYS_openat2, dirfd, path, how, (long) Layout.open_how_SIZEOF);
  }

  /** statx(2) into a buffer of {@link Layout#statx_SIZEOF} bytes. */
  public int statx(int dirfd, byte[] path, int flags, int mask, ByteBuffer statx) {
    return (int) libc.syscall(SYS_statx, dirfd, path, flags, mask, statx);
  }

  /** mknodat(2). */
  public int mknodat(int dirfd, byte[] path, int mode, long dev) {
    return (int) libc.syscall(SYS_mknodat, dirfd, path, mode, dev);
  }

  /** renameat2(2). */
  public int renameat2(int olddirfd, byte[] oldpath, int newdirfd, byte[] newpath, int flags) {
    return (int) libc.syscall(SYS_renameat2, olddirfd, oldpath, newdirfd, newpath, flags);
  }

  /** getdents64(2). */
  public int getdents64(int fd, ByteBuffer entries) {
    return (int) libc.syscall(SYS_getdents64, fd, entries, (long) entries.capacity());
  }

  /** gettid(2). */
  public int gettid() {
    return (int) libc.syscall(SYS_gettid, 0L, 0L, 0L, 0L);
  }

  /** close_range(2). */
  public int closeRange(int first, int last, int flags) {
    return (int) libc.syscall(SYS_close_range, (long) first, (long) last, (long) flags, 0L);
  }

  /** pidfd_open(2). */
  public int pidfdOpen(int pid, int flags) {
    return (int) libc.syscall(SYS_pidfd_open, (long) pid, (long) flags, 0L, 0L);
  }

  /** pidfd_send_signal(2) without a siginfo. */
  public int pidfdSendSignal(int pidfd, int signal) {
    return (int) libc.syscall(SYS_pidfd_send_signal, (long) pidfd, (long) signal, 0L, 0L);
  }

  /** pivot_root(2). */
  public int pivotRoot(byte[] newRoot, byte[] putOld) {
    return (int) libc.syscall(SYS_pivot_root, newRoot, putOld);
  }

  /** open_tree(2). */
  public int openTree(int dirfd, byte[] path, int flags) {
    return (int) libc.syscall(SYS_open_tree, dirfd, path, flags);
  }

  /** move_mount(2). */
  public int moveMount(int fromDirfd, byte[] from, int toDirfd, byte[] to, int flags) {
    return (int) libc.syscall(SYS_move_mount, fromDirfd, from, toDirfd, to, flags);
  }

  /** mount_setattr(2); {@code attr} is a {@code mount_attr}. */
  public int mountSetattr(int dirfd, byte[] path, int flags, ByteBuffer attr) {
    long size = Layout.mount_attr_SIZEOF;
    return (int) libc.syscall(SYS_mount_setattr, dirfd, path, flags, attr, size);
  }

  /** quotactl_fd(2). */
  public int quotactlFd(int fd, int command, int id, ByteBuffer block) {
    return (int) libc.syscall(SYS_quotactl_fd, fd, command, id, block);
  }

  /** Loads at first use, and remembers a failure instead of breaking the class. */
  private static final class Loaded {
    static final @Nullable Syscalls SYSCALLS;
    static final @Nullable Throwable FAILURE;
    static final String REASON;

    static {
      Syscalls syscalls = null;
      Throwable failure = null;
      try {
        Arch.current();
        LibC libc =
            LibraryLoader.create(LibC.class).option(LibraryOption.SaveError, true).load("c");
        libc.getpid();
        syscalls = new Syscalls(libc);
      } catch (RuntimeException | LinkageError e) {
        failure = e;
      }
      SYSCALLS = syscalls;
      FAILURE = failure;
      REASON = String.valueOf(failure == null ? "" : failure);
    }

    private Loaded() {}
  }
}
