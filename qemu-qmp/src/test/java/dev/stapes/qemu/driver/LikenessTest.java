package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LikenessTest {
  private static final PluggedDevice NIC =
      new PluggedDevice("dev-eth0", "slot1", "address 10:66:6a:00:00:01");
  private static final Likeness MACHINE = of("7.2.0", List.of("-m", "size=384M"), 4096);

  private static Likeness of(String qemu, List<String> arguments, long diskSize) {
    return new Likeness(qemu, arguments, diskSize, List.of(NIC), Map.of("eth0", "br0"));
  }

  @Test
  void it_is_the_same_when_it_was_written_and_read() {
    assertEquals(MACHINE, Likeness.read("instance web", MACHINE.write()));
    MACHINE.requireSame("instance web", Likeness.read("instance web", MACHINE.write()));
  }

  @Test
  void what_is_no_description_is_refused() {
    for (String text : List.of("", "{", "[]", "{\"qemu\":1}", "{\"qemu\":\"7.2\"}")) {
      StapesException e =
          assertThrows(StapesException.class, () -> Likeness.read("instance web", text));
      assertEquals(Kind.INVALID, e.kind(), text);
    }
  }

  @Test
  void a_clock_that_was_measured_once_more_is_the_same() {
    Likeness microvm = of("7.2.0", List.of("-append", "tsc_early_khz=2596130"), 4096);
    microvm.requireSame(
        "instance web", of("7.2.0", List.of("-append", "tsc_early_khz=2596132"), 4096));
  }

  @Test
  void a_disk_may_be_larger_as_pools_round_up() {
    Likeness larger = of("7.2.0", MACHINE.arguments(), 8192);
    MACHINE.requireSame("instance web", larger);
    assertEquals(OptionalLong.of(4096), MACHINE.diskSizeIn(larger));
    assertEquals(OptionalLong.empty(), MACHINE.diskSizeIn(MACHINE));
  }

  @Test
  void what_differs_is_told() {
    differs(of("10.0.2", MACHINE.arguments(), 4096), "QEMU 10.0.2");
    differs(of("7.2.0", MACHINE.arguments(), 4095), "4095 bytes");
    differs(of("7.2.0", List.of("-m", "size=512M"), 4096), "size=512M");
    differs(of("7.2.0", List.of("-m"), 4096), "nothing");
    differs(of("7.2.0", List.of("-m", "size=384M", "-S"), 4096), "-S");
  }

  private static void differs(Likeness other, String words) {
    StapesException e =
        assertThrows(StapesException.class, () -> MACHINE.requireSame("instance web", other));
    assertEquals(Kind.CONFLICT, e.kind());
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void its_devices_are_in_the_slots_where_they_were() {
    Likeness read = Likeness.read("instance web", MACHINE.write());
    assertEquals(Map.of("dev-eth0", "slot1"), read.slots());
    read.requireSameDevices("instance web", new TreeMap<>(Map.of(NIC.id(), NIC.what())));
  }

  @Test
  void devices_that_differ_are_told() {
    devicesDiffer(Map.of(), "dev-eth0, address 10:66:6a:00:00:01, and would have none");
    devicesDiffer(Map.of(NIC.id(), "address x"), "and would have dev-eth0, address x");
    devicesDiffer(Map.of(NIC.id(), NIC.what(), "more", "x"), "and would have more");
  }

  private static void devicesDiffer(Map<String, String> its, String words) {
    Specs.refused(
        Kind.CONFLICT, words, () -> MACHINE.requireSameDevices("instance web", new TreeMap<>(its)));
  }
}
