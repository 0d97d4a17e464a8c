package dev.stapes.qemu.driver;

import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.net.Bridge;
import dev.stapes.linux.net.Tap;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.net.Inet6Address;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The bridges of the host that the ends of interfaces are in: somebody put them there, and finds
 * them there again when their machine has moved. What else was set at such an end would be lost.
 */
final class TapBridges {
  private final Path interfaces;
  private final Predicate<String> there;
  private final Predicate<String> addressed;

  /**
   * Of a host.
   *
   * @param interfaces as {@code /sys/class/net}, which is of the network namespace that it was
   *     mounted in
   * @param there whether the network namespace has an interface
   * @param addressed whether somebody has given an interface an address
   */
  TapBridges(Path interfaces, Predicate<String> there, Predicate<String> addressed) {
    this.interfaces = interfaces;
    this.there = there;
    this.addressed = addressed;
  }

  /**
   * Of the network namespace of this JVM, if the root is this machine's. What is in the sysfs of
   * another one has no addresses that anybody knows.
   */
  static TapBridges of(HostRoot root, Syscalls sys) {
    Path interfaces = root.interfaces();
    return root.equals(HostRoot.MACHINE)
        ? new TapBridges(interfaces, name -> Tap.exists(sys, name), TapBridges::hasAddress)
        : new TapBridges(interfaces, name -> Files.exists(interfaces.resolve(name)), name -> false);
  }

  /**
   * In the JVM's network namespace. The kernel gives each one that is up a link-local address of
   * IPv6.
   */
  private static boolean hasAddress(String name) {
    try {
      NetworkInterface found = NetworkInterface.getByName(name);
      return found != null
          && found
              .inetAddresses()
              .anyMatch(each -> !(each instanceof Inet6Address && each.isLinkLocalAddress()));
    } catch (SocketException e) {
      throw IoFailure.of("interface " + name, "its addresses", e);
    }
  }

  /**
   * The bridges, by device; those in none are left out.
   *
   * @throws StapesException UNSUPPORTED where one belongs to something else, is in another network
   *     namespace, or has addresses: these would not move
   */
  SortedMap<String, String> of(Machine.Spec spec) {
    SortedMap<String, String> bridges = new TreeMap<>();
    nics(spec)
        .forEach(
            (device, nic) -> {
              String end = nic.hostName();
              requireThere(spec, device, end);
              Optional<Path> master = HostSysfs.target(interfaces.resolve(end).resolve("master"));
              if (master.isPresent()) {
                bridges.put(device, name(spec, device, end, master.get()));
              } else if (addressed.test(end)) {
                throw refused(spec, device, end + ", has addresses, and is in no bridge");
              }
            });
    return bridges;
  }

  private void requireThere(Machine.Spec spec, String device, String end) {
    if (!there.test(end)) {
      throw refused(spec, device, end + ", is in another network namespace");
    }
    if (!Files.exists(interfaces.resolve(end))) {
      throw refused(
          spec,
          device,
          end + ", is not in " + interfaces + ": mount sysfs anew in this network namespace");
    }
  }

  private static String name(Machine.Spec spec, String device, String end, Path master) {
    String name = HostSysfs.name(master);
    if (!Files.isDirectory(master.resolve("bridge"))) {
      throw refused(spec, device, end + ", belongs to " + name + ", which is no bridge of Linux");
    }
    return name;
  }

  private static StapesException refused(Machine.Spec spec, String device, String why) {
    return new StapesException(
        Kind.UNSUPPORTED,
        "instance " + spec.name(),
        "its device " + device + " does not move: its end on the host, " + why);
  }

  private static SortedMap<String, NicIdentity> nics(Machine.Spec spec) {
    SortedMap<String, NicIdentity> nics = new TreeMap<>();
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Nic nic) {
                nics.put(name, NicIdentity.of(spec.id(), spec.config(), name, nic));
              }
            });
    return nics;
  }

  /**
   * Puts the ends of a machine's interfaces into bridges.
   *
   * @param bridges by device
   * @throws StapesException CONFLICT where one cannot be in its bridge
   */
  static void join(Syscalls sys, Machine.Spec spec, Map<String, String> bridges) {
    SortedMap<String, NicIdentity> nics = nics(spec);
    bridges.forEach(
        (device, bridge) ->
            Optional.ofNullable(nics.get(device))
                .ifPresent(nic -> join(sys, device, bridge, nic.hostName())));
  }

  private static void join(Syscalls sys, String device, String bridge, String tap) {
    try {
      Bridge.add(sys, bridge, tap);
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.CONFLICT,
          "device " + device,
          "its end on the host, "
              + tap
              + ", cannot be in the bridge "
              + bridge
              + ": "
              + e.getMessage(),
          e);
    }
  }
}
