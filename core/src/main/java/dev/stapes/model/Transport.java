package dev.stapes.model;

import java.net.InetAddress;

/** How a running machine gets from one emulator to another one. */
public sealed interface Transport {
  /** Over Unix sockets, which nobody can reach but the two. */
  static Transport local() {
    return new Local();
  }

  /** Over TCP, at the loopback address. */
  static Transport tcp() {
    return tcp(InetAddress.getLoopbackAddress());
  }

  /**
   * Over TCP, at an address of this host; the kernel chooses the ports. What goes there is
   * encrypted, with a key of this one move, without which nobody is listened to.
   *
   * @throws StapesException INVALID where it is not the address of one interface
   */
  static Transport tcp(InetAddress address) {
    return new Tcp(address);
  }

  /** See {@link Transport#local}. */
  record Local() implements Transport {}

  /**
   * See {@link Transport#tcp(InetAddress)}.
   *
   * @param address where it is listened
   */
  record Tcp(InetAddress address) implements Transport {
    /** Checks the address. */
    public Tcp {
      if (address.isAnyLocalAddress() || address.isMulticastAddress()) {
        throw StapesException.invalid(
            "transport", "not the address of one interface: \"" + address.getHostAddress() + "\"");
      }
    }
  }
}
