package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandLineTest {
  private static List<String> of(String... arguments) {
    return CommandLine.parse("qemu\0" + String.join("\0", arguments) + "\0");
  }

  @Test
  void what_belongs_to_one_run_does_not_make_another_machine() {
    assertEquals(
        of("-name", "guest=a", "-S", "-m", "64M", "-add-fd", "fd=3,set=3"),
        of("-name", "guest=b", "-S", "-m", "64M", "-incoming", "defer"));
    assertEquals(
        List.of("-S"), of("-object", "{\"qom-type\":\"throttle-group\",\"id\":\"t\"}", "-S"));
  }

  @Test
  void what_the_guest_sees_is_kept_in_its_order() {
    List<String> all = of("-m", "64M", "-device", "x,id=a", "-object", "{\"id\":\"memory\"}");
    assertEquals(List.of("-m", "64M", "-device", "x,id=a", "-object", "{\"id\":\"memory\"}"), all);
  }

  @Test
  void a_process_that_has_ended_has_none() {
    assertEquals(List.of(), CommandLine.parse(""));
  }

  @Test
  void devices_are_known_by_their_ids_in_both_notations() {
    assertEquals(
        Set.of("a", "b"),
        CommandLine.devices(
            of(
                "-device",
                "pcie-root-port,id=a,chassis=1",
                "-device",
                "{\"driver\":\"virtio-rng-pci\",\"id\":\"b\"}",
                "-device",
                "usb-tablet",
                "-chardev",
                "socket,id=c")));
  }
}
