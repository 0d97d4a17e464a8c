package dev.stapes.linux.net;

/**
 * Numbers of kernel interfaces under their C names (linux/if_tun.h, net/if.h, netinet/in.h,
 * linux/sockios.h); the same on every architecture of 64 bits. A test compiles a C program that
 * prints them and compares.
 */
final class Abi {
  static final int TUNSETIFF = 0x400454ca;
  static final int IFF_TAP = 0x2;
  static final int IFF_NO_PI = 0x1000;
  static final int IFF_VNET_HDR = 0x4000;
  static final int IFF_TUN_EXCL = 0x8000;
  static final int IFF_UP = 1;

  static final int SIOCGIFFLAGS = 0x8913;
  static final int SIOCSIFFLAGS = 0x8914;
  static final int SIOCSIFMTU = 0x8922;
  static final int SIOCGIFINDEX = 0x8933;
  static final int SIOCBRADDIF = 0x89a2;

  static final int IFNAMSIZ = 16;
  static final int ifreq_SIZEOF = 40;
  static final int ifreq_ifr_flags = 16;
  static final int ifreq_ifr_mtu = 16;
  static final int ifreq_ifr_ifindex = 16;

  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int sockaddr_in_SIZEOF = 16;
  static final int sockaddr_in_sin_port = 2;
  static final int sockaddr_in_sin_addr = 4;
  static final int sockaddr_in6_SIZEOF = 28;
  static final int sockaddr_in6_sin6_port = 2;
  static final int sockaddr_in6_sin6_addr = 8;
  static final int sockaddr_in6_sin6_scope_id = 24;

  private Abi() {}
}
