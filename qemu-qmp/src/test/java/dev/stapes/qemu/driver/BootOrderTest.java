package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.Device;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class BootOrderTest {
  private static final Device.DiskIo USUAL = Device.DiskIo.USUAL;

  private static Device.Disk disk(String name) {
    return Device.disk("/" + name, options -> options.source("/" + name));
  }

  private static Device.Disk disk(String name, int priority) {
    return Device.disk("/" + name, options -> options.source("/" + name).bootPriority(priority));
  }

  private static Device.Nic nic(int priority) {
    return Device.Nic.p2p().bootPriority(priority);
  }

  @Test
  void the_root_disk_comes_before_those_of_which_nothing_is_said() {
    BootOrder order = BootOrder.of(Specs.of(Map.of("b", disk("b"), "a", disk("a"))));
    assertEquals(new BootOrder(1, new TreeMap<>(Map.of("a", 2, "b", 3))), order);
  }

  @Test
  void the_highest_priority_comes_first_whatever_it_is_of() {
    BootOrder order =
        BootOrder.of(
            Specs.of(
                Map.of(
                    "low", disk("low", 0),
                    "cd", disk("cd", 5),
                    "lan", nic(10),
                    "tie", disk("tie", 1))));
    assertEquals(OptionalInt.of(1), order.of("lan"));
    assertEquals(OptionalInt.of(2), order.of("cd"));
    assertEquals(3, order.root());
    assertEquals(OptionalInt.of(4), order.of("tie"));
    assertEquals(OptionalInt.of(5), order.of("low"));
  }

  @Test
  void the_root_disk_has_a_priority_too() {
    Machine.Spec spec = Specs.of(Map.of("a", disk("a"), "b", disk("b", 3)));
    Machine.Disk last =
        new Machine.Disk(
            Path.of("/"), Optional.empty(), Device.IoLimits.NONE, Optional.of(0), USUAL);
    assertEquals(2, BootOrder.of(spec.with(last, spec.disks())).root());
    Machine.Disk first =
        new Machine.Disk(
            Path.of("/"), Optional.empty(), Device.IoLimits.NONE, Optional.of(4), USUAL);
    assertEquals(1, BootOrder.of(spec.with(first, spec.disks())).root());
  }

  @Test
  void nobody_boots_from_the_network_unasked() {
    BootOrder order = BootOrder.of(Specs.of(Map.of("eth0", Device.Nic.p2p(), "lan", nic(0))));
    assertEquals(OptionalInt.empty(), order.of("eth0"));
    assertEquals(OptionalInt.of(2), order.of("lan"));
    assertEquals(OptionalInt.empty(), order.of("missing"));
  }
}
