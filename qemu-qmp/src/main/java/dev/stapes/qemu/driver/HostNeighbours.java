package dev.stapes.qemu.driver;

import dev.stapes.model.GuestInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The addresses of a guest as the host has heard of them: its neighbours, see arp(7). The host
 * knows of those that it has spoken with, over the interface itself or the bridge that it is in,
 * and of IPv4 alone.
 */
final class HostNeighbours {
  /** ATF_COM of linux/if_arp.h: it has answered. */
  private static final int COMPLETE = 0x2;

  /** The neighbour alone: the host does not know its subnet. */
  private static final int ALONE = 32;

  private static final int FLAGS = 2;
  private static final int ADDRESS = 3;
  private static final int DEVICE = 5;

  private final Path table;
  private final Path interfaces;

  /**
   * Of a host.
   *
   * @param table as {@code /proc/net/arp}
   * @param interfaces as {@code /sys/class/net}
   */
  HostNeighbours(Path table, Path interfaces) {
    this.table = table;
    this.interfaces = interfaces;
  }

  /** Of the network namespace of this JVM. */
  static HostNeighbours of(HostRoot root) {
    return new HostNeighbours(root.proc().resolve("net/arp"), root.interfaces());
  }

  /**
   * What is known of some interfaces.
   *
   * @param nics by device
   * @return by device too; those without any address are left out
   */
  SortedMap<String, GuestInfo.Interface> of(Map<String, NicIdentity> nics) {
    SortedMap<String, GuestInfo.Interface> all = new TreeMap<>();
    List<String> lines = lines();
    nics.forEach(
        (device, nic) -> {
          List<GuestInfo.Address> addresses = addresses(lines, nic);
          if (!addresses.isEmpty()) {
            all.put(device, new GuestInfo.Interface(Optional.of(nic.address()), addresses));
          }
        });
    return all;
  }

  private List<String> lines() {
    try {
      return Files.readAllLines(table);
    } catch (NoSuchFileException e) {
      return List.of(); // a kernel without IPv4
    } catch (IOException e) {
      throw IoFailure.of("host", table.toString(), e);
    }
  }

  private List<GuestInfo.Address> addresses(List<String> lines, NicIdentity nic) {
    Set<String> near = near(nic);
    List<GuestInfo.Address> addresses = new ArrayList<>();
    for (String line : lines) {
      String[] words = line.strip().split(" +");
      if (words.length > DEVICE
          && words[FLAGS].matches("0x[0-9a-f]{1,4}")
          && (Integer.decode(words[FLAGS]) & COMPLETE) != 0
          && words[ADDRESS].toLowerCase(Locale.ROOT).equals(nic.address())
          && near.contains(words[DEVICE])) {
        addresses.add(new GuestInfo.Address(words[0], ALONE));
      }
    }
    return addresses;
  }

  /** The same address behind another bridge is somebody else's. */
  private Set<String> near(NicIdentity nic) {
    String own = nic.hostName();
    return HostSysfs.target(interfaces.resolve(own).resolve("master"))
        .map(bridge -> Set.of(own, HostSysfs.name(bridge)))
        .orElse(Set.of(own));
  }
}
