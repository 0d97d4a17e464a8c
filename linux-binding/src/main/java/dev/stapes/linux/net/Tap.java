package dev.stapes.linux.net;

import static dev.stapes.linux.net.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A network interface of the host whose other end is a descriptor: frames that are written there
 * arrive at the interface, and what is sent by it is read there. It goes with the last duplicate of
 * the descriptor, whoever holds that. See the kernel's networking/tuntap.rst.
 */
public final class Tap implements AutoCloseable {
  private static final Path CLONE = Path.of("/dev/net/tun");

  /** Of the network namespace of whoever opens it, see proc_sys(5). */
  private static final Path IPV6 = Path.of("/proc/sys/net/ipv6/conf");

  /** What is set there is not that of one interface. */
  private static final Set<String> OF_ALL = Set.of("all", "default");

  private final Fd fd;
  private final String name;

  private Tap(Fd fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /**
   * Makes an interface in the network namespace of the calling thread and sets it up. Frames have a
   * header of virtio before them ({@code IFF_VNET_HDR}). Whoever writes frames gives the host no
   * address and no route by that: it has no IPv6 there, and where somebody switches that on ({@code
   * disable_ipv6}, see ip-sysctl.rst) it hears no router advertisements yet.
   *
   * @param name 1 to 15 bytes, and neither {@code all} nor {@code default}
   * @param mtu of the interface; empty: the kernel's default
   * @throws LinuxException EBUSY or EEXIST where there is an interface of this name; ENOENT without
   *     {@code /dev/net/tun}; ENODEV without its driver; EPERM; EINVAL for an MTU that it cannot
   *     have; EROFS where {@code /proc/sys} cannot be written to
   */
  public static Tap create(Syscalls sys, String name, Optional<Integer> mtu) {
    ByteBuffer request = request(name);
    Fd fd = Fd.open(sys, CLONE, Set.of(OpenFlag.READ, OpenFlag.WRITE));
    try {
      short flags = (short) (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL);
      request.putShort(ifreq_ifr_flags, flags);
      ioctl(sys, fd, TUNSETIFF, request, "ioctl(TUNSETIFF)", name);
      set(sys, name, "accept_ra", '0');
      set(sys, name, "disable_ipv6", '1');
      up(sys, name, mtu);
      return new Tap(fd, name);
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /** Whether the network namespace of the calling thread has an interface of any kind so called. */
  public static boolean exists(Syscalls sys, String name) {
    int type = Constants.SOCK_STREAM | Constants.SOCK_CLOEXEC;
    int number = sys.check(sys.libc().socket(Constants.AF_UNIX, type, 0), "socket", name);
    try (Fd socket = Fd.adopt(sys, number, "socket")) {
      int result = sys.libc().ioctl(socket.number(), SIOCGIFINDEX, request(name));
      return sys.checkUnless(result, "ioctl(SIOCGIFINDEX)", name, Errno.ENODEV) >= 0;
    }
  }

  /** A kernel without IPv6 has no such keys. */
  private static void set(Syscalls sys, String name, String key, char value) {
    Path file = IPV6.resolve(name).resolve(key);
    try (Fd fd = Fd.open(sys, file, Set.of(OpenFlag.WRITE))) {
      fd.write(Syscalls.buffer(1).put(0, (byte) value));
    } catch (LinuxException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }

  private static void up(Syscalls sys, String name, Optional<Integer> mtu) {
    int type = Constants.SOCK_STREAM | Constants.SOCK_CLOEXEC;
    int number = sys.check(sys.libc().socket(Constants.AF_UNIX, type, 0), "socket", name);
    try (Fd socket = Fd.adopt(sys, number, "socket")) {
      if (mtu.isPresent()) {
        ByteBuffer request = request(name);
        request.putInt(ifreq_ifr_mtu, mtu.get());
        ioctl(sys, socket, SIOCSIFMTU, request, "ioctl(SIOCSIFMTU)", name);
      }
      ByteBuffer request = request(name);
      ioctl(sys, socket, SIOCGIFFLAGS, request, "ioctl(SIOCGIFFLAGS)", name);
      short flags = request.getShort(ifreq_ifr_flags);
      request.putShort(ifreq_ifr_flags, (short) (flags | IFF_UP));
      ioctl(sys, socket, SIOCSIFFLAGS, request, "ioctl(SIOCSIFFLAGS)", name);
    }
  }

  private static ByteBuffer request(String name) {
    byte[] bytes = CString.of(name);
    if (bytes.length == 1 || bytes.length > IFNAMSIZ || OF_ALL.contains(name)) {
      throw new LinuxException("ioctl(TUNSETIFF)", name, Errno.EINVAL);
    }
    return Syscalls.buffer(ifreq_SIZEOF).put(0, bytes);
  }

  private static void ioctl(
      Syscalls sys, Fd fd, int request, ByteBuffer argument, String call, String subject) {
    sys.check(sys.libc().ioctl(fd.number(), request, argument), call, subject);
  }

  /** The name of the interface. */
  public String name() {
    return name;
  }

  /** Its other end; owned by this. */
  public Fd fd() {
    return fd;
  }

  /** Closes its descriptor; the interface goes unless there is a duplicate. */
  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
