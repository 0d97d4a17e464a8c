package dev.stapes.qemu.driver;

import static dev.stapes.model.StapesException.Kind.UNSUPPORTED;
import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.spi.Machine;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class NicIdentityTest {
  private static final Device.Nic PLAIN = Device.Nic.p2p();
  private static final Map<String, Device> ETH0 = Map.of("eth0", PLAIN);

  @Test
  void an_address_and_a_name_are_chosen_once() {
    Map<String, String> keys = NicIdentity.allocate(Specs.of(ETH0), List.of());
    String address = keys.getOrDefault("volatile.eth0.hwaddr", "");
    assertTrue(address.matches("10:66:6a(:[0-9a-f]{2}){3}"), address);
    String name = keys.getOrDefault("volatile.eth0.host_name", "");
    assertTrue(name.matches("tap[0-9a-f]{8}"), name);
    assertEquals(2, keys.size());
    assertEquals(Map.of(), NicIdentity.allocate(with(ETH0, keys), List.of()));
    assertEquals(
        new NicIdentity(address, name), NicIdentity.of(Specs.ID, Config.of(keys), "eth0", PLAIN));
  }

  private static Machine.Spec with(Map<String, Device> devices, Map<String, String> keys) {
    return Specs.of(
        devices,
        keys.entrySet().stream()
            .flatMap(entry -> List.of(entry.getKey(), entry.getValue()).stream())
            .toArray(String[]::new));
  }

  @Test
  void what_was_not_written_down_is_found_again() {
    NicIdentity found = NicIdentity.of(Specs.ID, Config.empty(), "eth0", PLAIN);
    Map<String, String> keys = NicIdentity.allocate(Specs.of(ETH0), List.of());
    assertEquals(found.address(), keys.get("volatile.eth0.hwaddr"));
    assertEquals(found.hostName(), keys.get("volatile.eth0.host_name"));
    assertNotEquals(found, NicIdentity.of(Specs.ID, Config.empty(), "eth1", PLAIN));
  }

  @Test
  void what_another_one_has_is_not_given_again() {
    Map<String, String> first = NicIdentity.allocate(Specs.of(ETH0), List.of());
    Map<String, String> second = NicIdentity.allocate(Specs.of(ETH0), List.of(Config.of(first)));
    assertEquals(first.keySet(), second.keySet());
    second.forEach((key, value) -> assertNotEquals(value, first.get(key)));
    Machine.Spec copy = with(ETH0, first);
    assertEquals(second, NicIdentity.allocate(copy, List.of(Config.of(first))));
  }

  @Test
  void what_the_user_chose_holds_and_needs_no_key() {
    Device.Nic chosen = PLAIN.hostName("mine").address("02:AA:BB:cc:dd:01");
    assertEquals(
        new NicIdentity("02:aa:bb:cc:dd:01", "mine"),
        NicIdentity.of(Specs.ID, Config.empty(), "eth0", chosen));
    Map<String, String> before = NicIdentity.allocate(Specs.of(ETH0), List.of());
    Map<String, String> removed = new TreeMap<>(before);
    removed.replaceAll((key, value) -> "");
    assertEquals(removed, NicIdentity.allocate(with(Map.of("eth0", chosen), before), List.of()));
  }

  @Test
  void keys_of_interfaces_that_are_gone_go() {
    Map<String, String> before = NicIdentity.allocate(Specs.of(ETH0), List.of());
    Map<String, String> removed = new TreeMap<>(before);
    removed.replaceAll((key, value) -> "");
    assertEquals(removed, NicIdentity.allocate(with(Map.of(), before), List.of()));
    assertEquals(
        Map.of(), NicIdentity.allocate(Specs.of("volatile.qemu.uid", "1900000000"), List.of()));
  }

  @Test
  void what_a_virtual_machine_cannot_do_for_an_interface_is_refused() {
    Device.Nic named =
        new Device.Nic(
            Device.Nic.Kind.P2P,
            Optional.of("lan0"),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    refused(
        UNSUPPORTED,
        "device eth0: a guest names its interfaces itself: \"lan0\"",
        () -> Specs.plan(Specs.of(Map.of("eth0", named))));
    refused(
        UNSUPPORTED,
        "microvm",
        () -> Specs.plan(Specs.of(ETH0, "qemu.machine", "microvm", "qemu.kernel", "/k")));
    Map<String, Device> many = new TreeMap<>();
    for (int i = 0; i <= VmPlan.MOST_NICS; i++) {
      many.put("eth" + i, PLAIN);
    }
    refused(UNSUPPORTED, "at most 8", () -> Specs.plan(Specs.of(many)));
  }
}
