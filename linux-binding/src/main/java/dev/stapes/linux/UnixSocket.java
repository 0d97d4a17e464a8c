package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import jnr.ffi.Pointer;

/**
 * A stream socket of this machine that can carry descriptors; see unix(7). Calls do not wait, but
 * for {@link #awaitReadable}: see {@link Epoll} for waiting for several. One thread may read while
 * another writes.
 */
public final class UnixSocket implements AutoCloseable {
  /** The bytes of a name in an address, without the NUL at its end. */
  public static final int LONGEST_NAME =
      Layout.sockaddr_un_SIZEOF - Layout.sockaddr_un_sun_path - 1;

  private static final int TYPE =
      Constants.SOCK_STREAM | Constants.SOCK_NONBLOCK | Constants.SOCK_CLOEXEC;
  private static final int SEND = Constants.MSG_NOSIGNAL | Constants.MSG_DONTWAIT;

  /** CMSG_LEN and CMSG_SPACE of one descriptor; see cmsg(3). */
  private static final int CONTROL_LENGTH = Layout.cmsghdr_SIZEOF + Integer.BYTES;

  private static final int CONTROL_SPACE = Layout.cmsghdr_SIZEOF + Long.BYTES;

  private final Syscalls sys;
  private final Fd fd;

  private UnixSocket(Syscalls sys, Fd fd) {
    this.sys = sys;
    this.fd = fd;
  }

  /** Two sockets that are connected with each other. */
  public record Pair(UnixSocket one, UnixSocket other) implements AutoCloseable {
    /** Closes both. */
    @Override
    public void close() {
      try (one) {
        other.close();
      }
    }
  }

  /** socketpair(2). */
  public static Pair pair(Syscalls sys) {
    int[] ends = new int[2];
    sys.check(sys.libc().socketpair(Constants.AF_UNIX, TYPE, 0, ends), "socketpair", "socket");
    return new Pair(
        new UnixSocket(sys, Fd.adopt(sys, ends[0], "socket")),
        new UnixSocket(sys, Fd.adopt(sys, ends[1], "socket")));
  }

  /**
   * connect(2). The directory of the path may have a name of any length.
   *
   * @throws LinuxException ENOENT where there is no socket, ECONNREFUSED where nobody listens,
   *     EAGAIN where too many others wait to be accepted, ENAMETOOLONG where the name without its
   *     directory is too long for an address
   */
  public static UnixSocket connect(Syscalls sys, Path path) {
    return open(
        sys,
        path,
        (number, address) ->
            sys.check(sys.libc().connect(number, address, address.capacity()), "connect", path));
  }

  /**
   * A socket that others can {@link #connect} to from now on, whether or not anybody accepts yet.
   * Its descriptor is what a program that serves it is started with.
   *
   * @param backlog how many may wait to be accepted
   * @throws LinuxException EADDRINUSE where there is a file of this name; else as bind(2)
   */
  public static Fd listen(Syscalls sys, Path path, int backlog) {
    return open(
            sys,
            path,
            (number, address) -> {
              sys.check(sys.libc().bind(number, address, address.capacity()), "bind", path);
              sys.check(sys.libc().listen(number, backlog), "listen", path);
            })
        .fd;
  }

  private interface Opening {
    void run(int number, ByteBuffer address);
  }

  private static UnixSocket open(Syscalls sys, Path path, Opening opening) {
    int number = sys.check(sys.libc().socket(Constants.AF_UNIX, TYPE, 0), "socket", path);
    UnixSocket socket = new UnixSocket(sys, Fd.adopt(sys, number, path.toString()));
    try {
      if (CString.encode(path.toString()).length <= LONGEST_NAME) {
        opening.run(number, address(path, path));
      } else {
        Path absolute = path.toAbsolutePath();
        Path parent = Objects.requireNonNull(absolute.getParent());
        try (Fd directory = Fd.openDirectory(sys, parent)) {
          Path name = Objects.requireNonNull(absolute.getFileName());
          opening.run(number, address(path, directory.path().resolve(name)));
        }
      }
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static ByteBuffer address(Path subject, Path path) {
    byte[] name = CString.of(path);
    if (name.length - 1 > LONGEST_NAME) {
      throw new LinuxException("connect", subject, Errno.ENAMETOOLONG);
    }
    ByteBuffer address = Syscalls.buffer(Layout.sockaddr_un_sun_path + name.length);
    address.putShort(Layout.sockaddr_un_sun_family, (short) Constants.AF_UNIX);
    for (int i = 0; i < name.length; i++) {
      address.put(Layout.sockaddr_un_sun_path + i, name[i]);
    }
    return address;
  }

  /** Its descriptor; owned by this socket. */
  public Fd fd() {
    return fd;
  }

  /**
   * Reads what is there; descriptors that come along are closed by the kernel.
   *
   * @return how many bytes; 0 where there are none yet, -1 when the other side has closed
   */
  public int read(ByteBuffer buffer) {
    long count;
    do {
      count = sys.libc().recv(fd.number(), buffer, buffer.remaining(), Constants.MSG_DONTWAIT);
    } while (sys.interrupted(count));
    if (count < 0 && sys.errno() == Errno.EAGAIN) {
      return 0;
    }
    sys.check(count, "recv", fd);
    buffer.position(buffer.position() + (int) count);
    return count == 0 ? -1 : (int) count;
  }

  /**
   * Waits until there is something to {@link #read}, or the end. The socket must not be closed
   * meanwhile; after {@link #shutdown} this returns at once.
   *
   * @param millis at most so long; 0 does not wait
   * @return false when the time was over, or a signal came
   */
  public boolean awaitReadable(int millis) {
    return Fd.poll(sys, millis, Constants.POLLIN, fd)[0];
  }

  /**
   * Writes what fits.
   *
   * @return how many bytes; 0 where none fit now
   */
  public int write(ByteBuffer buffer) {
    long count;
    do {
      count = sys.libc().send(fd.number(), buffer, buffer.remaining(), SEND);
    } while (sys.interrupted(count));
    return written(buffer, count, "send");
  }

  /**
   * Writes what fits, and passes a descriptor along with its first byte.
   *
   * @param passed stays the caller's; the other side gets one of its own
   * @return how many bytes; 0 where none fit now, and then nothing was passed
   */
  public int write(ByteBuffer buffer, Fd passed) {
    int length = buffer.remaining();
    int iov = Layout.msghdr_SIZEOF;
    int control = iov + Layout.iovec_SIZEOF;
    int data = control + CONTROL_SPACE;
    Pointer memory = Syscalls.memory(data + length);
    message(memory, length);
    memory.putLong(control + Layout.cmsghdr_cmsg_len, CONTROL_LENGTH);
    memory.putInt(control + Layout.cmsghdr_cmsg_level, Constants.SOL_SOCKET);
    memory.putInt(control + Layout.cmsghdr_cmsg_type, Constants.SCM_RIGHTS);
    memory.putInt(control + Layout.cmsghdr_SIZEOF, passed.number());
    byte[] bytes = new byte[length];
    buffer.duplicate().get(bytes);
    memory.put(data, bytes, 0, length);
    long count;
    do {
      count = sys.libc().sendmsg(fd.number(), memory, SEND);
    } while (sys.interrupted(count));
    return written(buffer, count, "sendmsg");
  }

  private static void message(Pointer memory, int length) {
    int iov = Layout.msghdr_SIZEOF;
    int control = iov + Layout.iovec_SIZEOF;
    long at = memory.address();
    memory.putLong(Layout.msghdr_msg_iov, at + iov);
    memory.putLong(Layout.msghdr_msg_iovlen, 1);
    memory.putLong(Layout.msghdr_msg_control, at + control);
    memory.putLong(Layout.msghdr_msg_controllen, CONTROL_SPACE);
    memory.putLong(iov + Layout.iovec_iov_base, at + control + CONTROL_SPACE);
    memory.putLong(iov + Layout.iovec_iov_len, length);
  }

  private int written(ByteBuffer buffer, long count, String call) {
    if (count < 0 && sys.errno() == Errno.EAGAIN) {
      return 0;
    }
    sys.check(count, call, fd);
    buffer.position(buffer.position() + (int) count);
    return (int) count;
  }

  /** What came with {@link #receive}: how many bytes, and the descriptor that was passed along. */
  public record Received(int count, Optional<Fd> passed) {}

  /**
   * As {@link #read}, taking a descriptor that comes along; of several, the first.
   *
   * @return whose descriptor the caller closes
   */
  public Received receive(ByteBuffer buffer) {
    int control = Layout.msghdr_SIZEOF + Layout.iovec_SIZEOF;
    int data = control + CONTROL_SPACE;
    Pointer memory = Syscalls.memory(data + buffer.remaining());
    message(memory, buffer.remaining());
    int flags = Constants.MSG_DONTWAIT | Constants.MSG_CMSG_CLOEXEC;
    long count;
    do {
      count = sys.libc().recvmsg(fd.number(), memory, flags);
    } while (sys.interrupted(count));
    if (count < 0 && sys.errno() == Errno.EAGAIN) {
      return new Received(0, Optional.empty());
    }
    sys.check(count, "recvmsg", fd);
    byte[] bytes = new byte[(int) count];
    memory.get(data, bytes, 0, bytes.length);
    buffer.put(bytes);
    boolean passed =
        memory.getLong(Layout.msghdr_msg_controllen) >= CONTROL_LENGTH
            && memory.getInt(control + Layout.cmsghdr_cmsg_type) == Constants.SCM_RIGHTS;
    int number = memory.getInt(control + Layout.cmsghdr_SIZEOF);
    return new Received(
        count == 0 ? -1 : (int) count,
        passed ? Optional.of(Fd.adopt(sys, number, "passed")) : Optional.empty());
  }

  /** A connection that somebody made to a {@link #listen}ing socket; empty where nobody has. */
  public static Optional<UnixSocket> accept(Syscalls sys, Fd listening) {
    int flags = Constants.SOCK_NONBLOCK | Constants.SOCK_CLOEXEC;
    int result = sys.libc().accept4(listening.number(), null, null, flags);
    int number = sys.checkUnless(result, "accept4", listening, Errno.EAGAIN);
    return number < 0
        ? Optional.empty()
        : Optional.of(new UnixSocket(sys, Fd.adopt(sys, number, "accepted")));
  }

  /** Ends both directions: the other side, and whoever waits here, finds the end. */
  public void shutdown() {
    shutdown(Constants.SHUT_RDWR);
  }

  /** Ends what is sent: the other side finds the end behind all that it has not read yet. */
  public void shutdownOutput() {
    shutdown(Constants.SHUT_WR);
  }

  private void shutdown(int how) {
    int result = sys.libc().shutdown(fd.number(), how);
    sys.checkUnless(result, "shutdown", fd, Errno.ENOTCONN);
  }

  @Override
  public void close() {
    fd.close();
  }
}
