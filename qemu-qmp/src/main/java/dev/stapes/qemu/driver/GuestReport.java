package dev.stapes.qemu.driver;

import dev.stapes.model.GuestInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.guest.GuestGetHostName;
import dev.stapes.qmp.guest.GuestGetOsinfo;
import dev.stapes.qmp.guest.GuestHostName;
import dev.stapes.qmp.guest.GuestIpAddress;
import dev.stapes.qmp.guest.GuestNetworkGetInterfaces;
import dev.stapes.qmp.guest.GuestNetworkInterface;
import dev.stapes.qmp.guest.GuestOSInfo;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/** What the agent tells of its guest, or the host where there is none. */
final class GuestReport {
  private static final int MOST_BITS = 128;

  /** What an agent fails with that is not there, or hangs. */
  private static final Set<Kind> NOBODY = EnumSet.of(Kind.UNAVAILABLE, Kind.TIMED_OUT);

  private GuestReport() {}

  /** The agent, as far as it knows a command: its administrator may have forbidden some. */
  interface Source {
    /** The answer; empty where it refuses to give one. */
    <R> Optional<R> ask(QmpCommand<R> command);
  }

  /**
   * Where nobody answers the host's neighbours are all that is known, by the names of devices.
   *
   * @throws StapesException of the agent where the host knows nothing either
   */
  static GuestInfo of(Source agent, Supplier<SortedMap<String, GuestInfo.Interface>> neighbours) {
    try {
      return of(agent);
    } catch (StapesException e) {
      if (!NOBODY.contains(e.kind())) {
        throw e;
      }
      SortedMap<String, GuestInfo.Interface> known = neighbours.get();
      if (known.isEmpty()) {
        throw e;
      }
      return new GuestInfo(Optional.empty(), GuestInfo.OperatingSystem.UNKNOWN, known);
    }
  }

  static GuestInfo of(Source agent) {
    return new GuestInfo(
        agent.ask(GuestGetHostName.of()).map(GuestHostName::hostName),
        agent
            .ask(GuestGetOsinfo.of())
            .map(GuestReport::system)
            .orElse(GuestInfo.OperatingSystem.UNKNOWN),
        interfaces(agent.ask(GuestNetworkGetInterfaces.of()).orElse(List.of())));
  }

  private static GuestInfo.OperatingSystem system(GuestOSInfo all) {
    return new GuestInfo.OperatingSystem(
        all.id(),
        all.prettyName().or(all::name),
        all.versionId(),
        all.kernelRelease(),
        all.machine());
  }

  private static SortedMap<String, GuestInfo.Interface> interfaces(
      List<GuestNetworkInterface> all) {
    SortedMap<String, GuestInfo.Interface> byName = new TreeMap<>();
    for (GuestNetworkInterface each : all) {
      byName.put(
          each.name(),
          new GuestInfo.Interface(
              each.hardwareAddress(),
              each.ipAddresses().orElse(List.of()).stream()
                  .filter(address -> address.prefix() >= 0 && address.prefix() <= MOST_BITS)
                  .map(GuestReport::address)
                  .toList()));
    }
    return byName;
  }

  private static GuestInfo.Address address(GuestIpAddress address) {
    return new GuestInfo.Address(address.ipAddress(), (int) address.prefix());
  }
}
