package dev.stapes.linux.net;

import static dev.stapes.linux.net.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Ready;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import jnr.ffi.Pointer;

/**
 * TCP sockets of this host, as descriptors that another program is given; see tcp(7). The JDK's do
 * not tell their descriptors.
 */
public final class TcpSocket {
  private static final int TYPE = Constants.SOCK_STREAM | Constants.SOCK_CLOEXEC;
  private static final int BACKLOG = 16;

  /** Within one host a connection takes a moment, unless strangers are in its way. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Of a stranger who was there. */
  private static final int[] GONE_AGAIN = {Errno.EAGAIN, Errno.EINTR, Errno.ECONNABORTED};

  private TcpSocket() {}

  /** Two sockets that are connected with each other. */
  public record Pair(Fd one, Fd other) implements AutoCloseable {
    /** Closes both. */
    @Override
    public void close() {
      try (one) {
        other.close();
      }
    }
  }

  /**
   * A socket that others can {@link #connect} to, at a port that the kernel chooses.
   *
   * @param address of this host
   * @throws LinuxException EADDRNOTAVAIL where the host does not have the address
   */
  public static Fd listen(Syscalls sys, InetAddress address) {
    Fd socket = socket(sys, address);
    try {
      ByteBuffer local = encode(new InetSocketAddress(address, 0));
      sys.check(sys.libc().bind(socket.number(), local, local.capacity()), "bind", address);
      sys.check(sys.libc().listen(socket.number(), BACKLOG), "listen", address);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * connect(2) to a port of this host.
   *
   * @throws LinuxException ECONNREFUSED where nobody listens; ETIMEDOUT where whoever does has so
   *     many strangers waiting that there is no connection within 10 seconds
   * @throws InterruptedException if the thread is interrupted
   */
  public static Fd connect(Syscalls sys, InetSocketAddress address) throws InterruptedException {
    Fd socket = socket(sys, address.getAddress());
    try {
      begin(sys, socket, address);
      finish(sys, socket, address, new Ready(sys, PATIENCE));
      return socket;
    } catch (RuntimeException | InterruptedException e) {
      socket.close();
      throw e;
    }
  }

  private static void begin(Syscalls sys, Fd socket, InetSocketAddress address) {
    socket.blocking(false);
    ByteBuffer to = encode(address);
    int result = sys.libc().connect(socket.number(), to, to.capacity());
    sys.checkUnless(result, "connect", address, Errno.EINPROGRESS);
  }

  private static void finish(Syscalls sys, Fd socket, InetSocketAddress address, Ready ready)
      throws InterruptedException {
    if (!ready.awaitWritable(socket)) {
      throw new LinuxException("connect", address, Errno.ETIMEDOUT);
    }
    ByteBuffer to = encode(address); // called once more it tells what came of it
    int result = sys.libc().connect(socket.number(), to, to.capacity());
    sys.checkUnless(result, "connect", address, Errno.EISCONN);
    socket.blocking(true);
  }

  /**
   * A connection of which this process has both ends. Who else connects meanwhile is turned away.
   *
   * @param address of this host, of both ends
   * @throws LinuxException EADDRNOTAVAIL where the host does not have the address; ETIMEDOUT where
   *     strangers keep the two ends from one another for 10 seconds
   * @throws InterruptedException if the thread is interrupted
   */
  public static Pair pair(Syscalls sys, InetAddress address) throws InterruptedException {
    try (Fd listening = listen(sys, address)) {
      return pair(sys, address, listening);
    }
  }

  /** The same with somebody who listens: strangers may have come already. */
  static Pair pair(Syscalls sys, InetAddress address, Fd listening) throws InterruptedException {
    Ready ready = new Ready(sys, PATIENCE);
    InetSocketAddress to = addressOf(sys, listening);
    Fd one = socket(sys, address);
    try {
      ByteBuffer local = encode(new InetSocketAddress(address, 0));
      sys.check(sys.libc().bind(one.number(), local, local.capacity()), "bind", address);
      begin(sys, one, to);
      // First: where strangers wait there is no connection before they have been turned away.
      Fd other = accept(sys, listening, addressOf(sys, one), ready);
      try {
        finish(sys, one, to, ready);
        return new Pair(one, other);
      } catch (RuntimeException | InterruptedException e) {
        other.close();
        throw e;
      }
    } catch (RuntimeException | InterruptedException e) {
      one.close();
      throw e;
    }
  }

  /** Takes the connection of one, and turns away all others. */
  static Fd accept(Syscalls sys, Fd listening, InetSocketAddress from, Ready ready)
      throws InterruptedException {
    listening.blocking(false);
    while (!ready.isOver() && !ready.await(List.of(listening)).isEmpty()) {
      ByteBuffer peer = Syscalls.buffer(sockaddr_in6_SIZEOF);
      int number =
          sys.checkUnless(
              sys.libc().accept4(listening.number(), peer, length(), Constants.SOCK_CLOEXEC),
              "accept4",
              listening,
              GONE_AGAIN);
      if (number >= 0) {
        Fd accepted = Fd.adopt(sys, number, "accepted");
        if (decode(peer).equals(from)) {
          return accepted;
        }
        accepted.close();
      }
    }
    throw new LinuxException("accept4", from, Errno.ETIMEDOUT);
  }

  /** getsockname(2). */
  public static InetSocketAddress addressOf(Syscalls sys, Fd socket) {
    ByteBuffer address = Syscalls.buffer(sockaddr_in6_SIZEOF);
    sys.check(sys.libc().getsockname(socket.number(), address, length()), "getsockname", socket);
    return decode(address);
  }

  private static Pointer length() {
    Pointer length = Syscalls.memory(Integer.BYTES);
    length.putInt(0, sockaddr_in6_SIZEOF);
    return length;
  }

  private static Fd socket(Syscalls sys, InetAddress address) {
    int family = address instanceof Inet6Address ? AF_INET6 : AF_INET;
    int number = sys.check(sys.libc().socket(family, TYPE, 0), "socket", address);
    return Fd.adopt(sys, number, address.toString());
  }

  private static ByteBuffer encode(InetSocketAddress address) {
    boolean six = address.getAddress() instanceof Inet6Address;
    ByteBuffer buffer = Syscalls.buffer(six ? sockaddr_in6_SIZEOF : sockaddr_in_SIZEOF);
    buffer.putShort(0, (short) (six ? AF_INET6 : AF_INET));
    buffer.put(sockaddr_in_sin_port, (byte) (address.getPort() >> 8)); // as the network has it
    buffer.put(sockaddr_in_sin_port + 1, (byte) address.getPort());
    buffer.put(
        six ? sockaddr_in6_sin6_addr : sockaddr_in_sin_addr, address.getAddress().getAddress());
    if (address.getAddress() instanceof Inet6Address scoped) {
      buffer.putInt(sockaddr_in6_sin6_scope_id, scoped.getScopeId());
    }
    return buffer;
  }

  private static InetSocketAddress decode(ByteBuffer buffer) {
    boolean six = buffer.getShort(0) == AF_INET6;
    int high = buffer.get(sockaddr_in_sin_port) & 0xff;
    int low = buffer.get(sockaddr_in_sin_port + 1) & 0xff;
    byte[] address = new byte[six ? 16 : 4];
    buffer.get(six ? sockaddr_in6_sin6_addr : sockaddr_in_sin_addr, address);
    try {
      return new InetSocketAddress(
          six
              ? Inet6Address.getByAddress(null, address, buffer.getInt(sockaddr_in6_sin6_scope_id))
              : InetAddress.getByAddress(address),
          high << 8 | low);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("no address: " + Arrays.toString(address), e);
    }
  }
}
