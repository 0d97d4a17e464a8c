package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A file descriptor that somebody owns: the one who holds this closes it. Always close-on-exec.
 * Closing twice is fine; using it after that is an {@link IllegalStateException}. A call that is
 * under way in another thread while it is closed is the caller's mistake: the number may already
 * mean another file. Streams made by {@link #input} and {@link #output} are safe in that respect.
 */
public final class Fd implements AutoCloseable {
  private static final byte[] HERE = CString.of("");

  private final Syscalls sys;
  private final AtomicInteger number;
  private final String name;

  private Fd(Syscalls sys, int number, String name) {
    this.sys = sys;
    this.number = new AtomicInteger(number);
    this.name = name;
  }

  /**
   * Takes ownership of a descriptor.
   *
   * @param number a descriptor that is open
   * @param name what it is, for messages
   */
  public static Fd adopt(Syscalls sys, int number, String name) {
    if (number < 0) {
      throw new IllegalArgumentException(name + ": not a descriptor: " + number);
    }
    return new Fd(sys, number, name);
  }

  /**
   * open(2) with mode 0600 for a file it makes.
   *
   * @throws LinuxException as open(2)
   */
  public static Fd open(Syscalls sys, Path path, Set<OpenFlag> flags) {
    int number;
    do {
      number = sys.libc().open(CString.of(path), OpenFlag.bits(flags), 0600);
    } while (sys.interrupted(number));
    return adopt(sys, sys.check(number, "open", path), path.toString());
  }

  /**
   * As {@link #open}, but never waits for the other end of a FIFO. Without it a write end fails
   * with ENXIO, and a read end is at the end of the file. The descriptor itself blocks as usual.
   */
  public static Fd openWithoutWaiting(Syscalls sys, Path path, Set<OpenFlag> flags) {
    EnumSet<OpenFlag> all = EnumSet.of(OpenFlag.NON_BLOCKING);
    all.addAll(flags);
    Fd fd = open(sys, path, all);
    try {
      fd.blocking(true);
      return fd;
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /** Opens a directory as an anchor for others ({@code O_PATH}). */
  public static Fd openDirectory(Syscalls sys, Path path) {
    return open(sys, path, Set.of(OpenFlag.PATH_ONLY, OpenFlag.DIRECTORY));
  }

  /** The descriptor's number, valid while this is open. */
  public int number() {
    int current = number.get();
    if (current < 0) {
      throw new IllegalStateException(name + ": the descriptor is closed");
    }
    return current;
  }

  /** Whether it has not been closed or released. */
  public boolean isOpen() {
    return number.get() >= 0;
  }

  /** Gives up ownership: the caller has to close the number. */
  public int release() {
    int current = number();
    number.set(-1);
    return current;
  }

  /**
   * A path to the open file for calls that want paths, from any thread of this process and whatever
   * its mount namespace; valid while this is open. For pipes, FIFOs and terminals opening it makes
   * another description of the same object.
   */
  public Path path() {
    return Path.of("/proc/self/fd/" + number());
  }

  /** A second descriptor of the same open file. */
  public Fd duplicate() {
    int copy = sys.libc().fcntl(number(), Constants.F_DUPFD_CLOEXEC, 3);
    return adopt(sys, sys.check(copy, "fcntl(F_DUPFD_CLOEXEC)", name), name);
  }

  /**
   * Reads what is there into the buffer.
   *
   * @return how many bytes, or -1 at the end of the file
   */
  public int read(ByteBuffer buffer) {
    return read(buffer, -1);
  }

  /** Reads from an offset, see {@link #read(ByteBuffer)}. */
  public int read(ByteBuffer buffer, long offset) {
    long count;
    do {
      count =
          offset < 0
              ? sys.libc().read(number(), buffer, buffer.remaining())
              : sys.libc().pread(number(), buffer, buffer.remaining(), offset);
    } while (sys.interrupted(count));
    sys.check(count, "read", name);
    buffer.position(buffer.position() + (int) count);
    return count == 0 && buffer.hasRemaining() ? -1 : (int) count;
  }

  /** Writes all that the buffer has. */
  public void write(ByteBuffer buffer) {
    while (buffer.hasRemaining()) {
      long count = sys.libc().write(number(), buffer, buffer.remaining());
      if (!sys.interrupted(count)) {
        advance(buffer, count);
      }
    }
  }

  /** Writes all that the buffer has at an offset. */
  public void write(ByteBuffer buffer, long offset) {
    long at = offset;
    while (buffer.hasRemaining()) {
      long count = sys.libc().pwrite(number(), buffer, buffer.remaining(), at);
      if (!sys.interrupted(count)) {
        at += advance(buffer, count);
      }
    }
  }

  private long advance(ByteBuffer buffer, long count) {
    sys.check(count, "write", name);
    buffer.position(buffer.position() + (int) count);
    return count;
  }

  /** A stream of a regular file that owns this descriptor; cheap, and not to be shared. */
  public InputStream fileInput() {
    return new FileInput(this);
  }

  /** A stream to a regular file that owns this descriptor; cheap, and not to be shared. */
  public OutputStream fileOutput() {
    return new FileOutput(this);
  }

  /**
   * A stream that owns this descriptor. Closing it ends a read that is under way in another thread,
   * which then finds an {@link java.io.IOException}.
   */
  public InputStream input() {
    return new FdInput(sys, this);
  }

  /**
   * A stream that owns this descriptor and makes it non-blocking. Closing it ends a write that is
   * under way in another thread.
   */
  public OutputStream output() {
    return new FdOutput(sys, this);
  }

  /** What fstat(2) says. */
  public FileStat stat() {
    return FileStat.of(sys, number(), HERE, Constants.AT_EMPTY_PATH, name);
  }

  /** fchmod(2), also for a descriptor that is {@link OpenFlag#PATH_ONLY}. */
  public void chmod(int permissions) {
    int result =
        sys.checkUnless(sys.libc().fchmod(number(), permissions), "fchmod", name, Errno.EBADF);
    if (result < 0) {
      sys.check(sys.libc().chmod(CString.of(path()), permissions), "chmod", name);
    }
  }

  /** fchown(2); -1 leaves a part as it is. */
  public void chown(long uid, long gid) {
    int flags = Constants.AT_EMPTY_PATH;
    sys.check(sys.libc().fchownat(number(), HERE, (int) uid, (int) gid, flags), "fchown", name);
  }

  /** futimens(3); null leaves a time as it is. */
  public void times(@Nullable Instant accessed, @Nullable Instant modified) {
    ByteBuffer times = Times.of(accessed, modified);
    sys.check(sys.libc().futimens(number(), times), "futimens", name);
  }

  /** ftruncate(2): sets the size, making a hole where it grows. */
  public void truncate(long size) {
    sys.check(sys.libc().ftruncate(number(), size), "ftruncate", name);
  }

  /** fsync(2): returns when content and attributes are on the disk. */
  public void sync() {
    sys.check(sys.libc().fsync(number()), "fsync", name);
  }

  /** syncfs(2): returns when the whole file system it is on has been written out. */
  public void syncFileSystem() {
    sys.check(sys.libc().syncfs(number()), "syncfs", name);
  }

  /**
   * flock(2) without waiting: an exclusive lock that lasts until every descriptor of this open file
   * is closed.
   *
   * @return false if another open file of it holds a lock
   */
  public boolean tryLock() {
    int operation = Constants.LOCK_EX | Constants.LOCK_NB;
    return sys.checkUnless(sys.libc().flock(number(), operation), "flock", name, Errno.EAGAIN) >= 0;
  }

  /** Whether calls on it wait ({@code O_NONBLOCK}); of every descriptor of this open file. */
  public void blocking(boolean blocking) {
    int flags = sys.check(sys.libc().fcntl(number(), Constants.F_GETFL, 0), "fcntl", name);
    int nonBlocking = Constants.O_NONBLOCK;
    long wanted = blocking ? flags & ~nonBlocking : flags | nonBlocking;
    sys.check(sys.libc().fcntl(number(), Constants.F_SETFL, wanted), "fcntl", name);
  }

  /**
   * Waits until one of the descriptors is ready for {@code events} or in error.
   *
   * @param millis -1 for ever
   * @return which are ready
   */
  static boolean[] poll(Syscalls sys, int millis, int events, Fd... fds) {
    ByteBuffer polled = Syscalls.buffer(fds.length * Layout.pollfd_SIZEOF);
    for (int i = 0; i < fds.length; i++) {
      int wanted = i == 0 ? events : Constants.POLLIN;
      polled.putInt(i * Layout.pollfd_SIZEOF + Layout.pollfd_fd, fds[i].number());
      polled.putShort(i * Layout.pollfd_SIZEOF + Layout.pollfd_events, (short) wanted);
    }
    int result = sys.libc().poll(polled, fds.length, millis);
    sys.checkUnless(result, "poll", fds[0].name, Errno.EINTR);
    boolean[] ready = new boolean[fds.length];
    for (int i = 0; i < fds.length && result > 0; i++) {
      ready[i] = polled.getShort(i * Layout.pollfd_SIZEOF + Layout.pollfd_revents) != 0;
    }
    return ready;
  }

  @Override
  public void close() {
    int current = number.getAndSet(-1);
    if (current >= 0) {
      // Linux frees the number whatever close(2) returns, EINTR included: never repeat it.
      int result = sys.libc().close(current);
      sys.checkUnless(result, "close", name, Errno.EINTR);
    }
  }

  @Override
  public String toString() {
    return name + " (descriptor " + number.get() + ")";
  }
}
