package dev.stapes.linux.net;

import static dev.stapes.linux.net.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/** A bridge of the network namespace of the calling thread. */
public final class Bridge {
  private Bridge() {}

  /**
   * Makes an interface one of its ports.
   *
   * @throws LinuxException ENODEV where there is no such bridge or interface; EBUSY where the
   *     interface is a port already; EOPNOTSUPP where that is no bridge; EPERM
   */
  public static void add(Syscalls sys, String bridge, String port) {
    int type = Constants.SOCK_STREAM | Constants.SOCK_CLOEXEC;
    int number = sys.check(sys.libc().socket(Constants.AF_UNIX, type, 0), "socket", bridge);
    try (Fd socket = Fd.adopt(sys, number, "socket")) {
      ByteBuffer request = request(port);
      sys.check(
          sys.libc().ioctl(socket.number(), SIOCGIFINDEX, request), "ioctl(SIOCGIFINDEX)", port);
      int index = request.getInt(ifreq_ifr_ifindex);
      request = request(bridge);
      request.putInt(ifreq_ifr_ifindex, index);
      sys.check(
          sys.libc().ioctl(socket.number(), SIOCBRADDIF, request), "ioctl(SIOCBRADDIF)", bridge);
    }
  }

  private static ByteBuffer request(String name) {
    byte[] bytes = CString.of(name);
    if (bytes.length == 1 || bytes.length > IFNAMSIZ) {
      throw new LinuxException("ioctl(SIOCBRADDIF)", name, Errno.EINVAL);
    }
    return Syscalls.buffer(ifreq_SIZEOF).put(0, bytes);
  }
}
