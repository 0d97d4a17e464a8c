package dev.stapes.model;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an instance says of itself. It is the word of a program inside, which may say anything; what
 * the host itself knows is in {@link InstanceState}. Where there is no such program the host may
 * know addresses all the same: those that it has spoken with, by the name of the device, without
 * the size of their subnets.
 *
 * @param hostName empty where it does not tell
 * @param system its operating system
 * @param interfaces of its network by their name inside, loopback too; copied
 */
public record GuestInfo(
    Optional<String> hostName, OperatingSystem system, SortedMap<String, Interface> interfaces) {
  /** Copies. */
  public GuestInfo {
    interfaces = Collections.unmodifiableSortedMap(new TreeMap<>(interfaces));
  }

  /**
   * An operating system; each is empty where it does not tell. os-release(5) and uname(2).
   *
   * @param id such as {@code debian}
   * @param name for people, such as {@code Debian GNU/Linux 12 (bookworm)}
   * @param version such as {@code 12}
   * @param kernel release of its kernel, such as {@code 6.1.0-40-amd64}
   * @param machine its architecture as its kernel calls it, such as {@code x86_64}
   */
  public record OperatingSystem(
      Optional<String> id,
      Optional<String> name,
      Optional<String> version,
      Optional<String> kernel,
      Optional<String> machine) {
    /** Of one that tells nothing. */
    public static final OperatingSystem UNKNOWN =
        new OperatingSystem(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
  }

  /**
   * A network interface.
   *
   * @param hardwareAddress such as {@code 10:66:6a:00:00:01}; empty where it has none
   * @param addresses in the order that it gives; copied
   */
  public record Interface(Optional<String> hardwareAddress, List<Address> addresses) {
    /** Copies. */
    public Interface {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * An address with the size of its subnet.
   *
   * @param text of an IPv4 or IPv6 address, without scope
   * @param prefix leading bits that all in the subnet have, 0 to 128
   */
  public record Address(String text, int prefix) {
    /** Such as {@code 10.0.0.2/24}. */
    @Override
    public String toString() {
      return text + "/" + prefix;
    }
  }
}
