package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.GuestInfo;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostNeighboursTest {
  private static final String MAC = "10:66:6a:00:00:01";
  private static final Map<String, NicIdentity> NICS =
      Map.of("eth0", new NicIdentity(MAC, "tap1"), "eth1", new NicIdentity("10:66:6a:9", "tap2"));

  @TempDir Path directory;

  private Map<String, GuestInfo.Interface> known(String... lines) throws IOException {
    Path table = directory.resolve("arp");
    Files.write(
        table,
        List.of("IP address       HW type     Flags       HW address            Mask     Device"));
    Files.write(table, List.of(lines), StandardOpenOption.APPEND);
    return neighbours().of(NICS);
  }

  private HostNeighbours neighbours() {
    return new HostNeighbours(directory.resolve("arp"), directory.resolve("net"));
  }

  private static String line(String address, String flags, String mac, String device) {
    return address + "        0x1         " + flags + "         " + mac + "     *        " + device;
  }

  private static Map<String, GuestInfo.Interface> at(String... addresses) {
    List<GuestInfo.Address> all =
        List.of(addresses).stream().map(text -> new GuestInfo.Address(text, 32)).toList();
    return Map.of("eth0", new GuestInfo.Interface(Optional.of(MAC), all));
  }

  @Test
  void who_has_answered_at_its_interface_is_known() throws IOException {
    assertEquals(
        at("10.0.0.2", "10.0.0.3"),
        known(
            line("10.0.0.2", "0x2", MAC, "tap1"),
            line("10.0.0.3", "0x6", MAC.toUpperCase(Locale.ROOT), "tap1")));
  }

  @Test
  void who_has_not_answered_or_is_elsewhere_is_not_known() throws IOException {
    assertEquals(
        Map.of(),
        known(
            line("10.0.0.2", "0x0", MAC, "tap1"),
            line("10.0.0.3", "0x2", MAC, "tap2"),
            line("10.0.0.4", "0x2", "10:66:6a:00:00:02", "tap1"),
            "10.0.0.5 0x1 0x2",
            line("10.0.0.6", "what", MAC, "tap1")));
  }

  @Test
  void a_bridge_is_asked_that_its_interface_is_in() throws IOException {
    Path bridge = Files.createDirectories(directory.resolve("net/br7"));
    Path tap = Files.createDirectories(directory.resolve("net/tap1"));
    Files.createSymbolicLink(tap.resolve("master"), bridge);
    assertEquals(
        at("10.0.0.2"),
        known(line("10.0.0.2", "0x2", MAC, "br7"), line("10.0.0.3", "0x2", MAC, "br8")));
  }

  @Test
  void a_host_without_neighbours_knows_nobody_and_an_error_is_none_of_these() throws IOException {
    assertEquals(Map.of(), neighbours().of(NICS));
    Files.createDirectory(directory.resolve("arp"));
    Specs.refused(Kind.INTERNAL, "arp", () -> neighbours().of(NICS));
  }
}
