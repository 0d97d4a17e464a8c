package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SavedMachineTest {
  private static final List<String> ARGUMENTS = List.of("-S", "-m", "size=64M");
  private static final SavedMachine SAVED =
      new SavedMachine(
          "abcd",
          "7.2",
          ARGUMENTS,
          "50%",
          List.of(new PluggedDevice("dev-eth0", "slot3", "address 02:00:00:00:00:01")),
          1 << 20,
          64 << 20,
          "00ff");

  private static final SortedMap<String, String> DEVICES =
      new TreeMap<>(Map.of("dev-eth0", "address 02:00:00:00:00:01"));

  private static void fits(String version, List<String> arguments, long disk) {
    SAVED.requireFit("instance vm", version, arguments, DEVICES, disk);
  }

  @Test
  void what_was_written_is_read() {
    assertEquals(SAVED, SavedMachine.read("instance vm", SAVED.write()));
  }

  @Test
  void what_an_older_version_kept_of_the_host_is_left_out() {
    String root = "{\"node-name\":\"root\",\"cache\":{\"direct\":true,\"no-flush\":false}}";
    SavedMachine old =
        new SavedMachine("abcd", "7.2", List.of("-blockdev", root), "", List.of(), 1, 1, "00ff");
    assertEquals(
        List.of("-blockdev", "{\"node-name\":\"root\"}"),
        SavedMachine.read("instance vm", old.write()).arguments());
  }

  @Test
  void what_is_cut_or_something_else_is_refused() {
    String text = SAVED.write();
    for (int length = 0; length < text.length(); length++) {
      String cut = text.substring(0, length);
      refused(Kind.INVALID, "damaged", () -> SavedMachine.read("instance vm", cut));
    }
    for (String other : List.of("null", "[]", "7", "{}", "{\"form\":2}", "{\"form\":1}")) {
      refused(Kind.INVALID, "damaged", () -> SavedMachine.read("instance vm", other));
    }
  }

  private static List<String> microvm(String kilohertz) {
    return List.of(
        "-M", "microvm", "-append", "quiet tsc_early_khz=" + kilohertz + " tsc=reliable");
  }

  @Test
  void a_host_that_measures_its_counter_once_more_is_the_same() {
    SavedMachine saved =
        new SavedMachine("abcd", "7.2", microvm("2596130"), "", List.of(), 1, 1, "00ff");
    SortedMap<String, String> none = new TreeMap<>();
    saved.requireFit("instance vm", "7.2", microvm("2596128"), none, 1);
    refused(
        Kind.CONFLICT,
        "tsc_early_khz=2100000",
        () -> saved.requireFit("instance vm", "7.2", microvm("2100000"), none, 1));
  }

  @Test
  void it_fits_the_same_machine_alone() {
    fits("7.2", ARGUMENTS, 1 << 20);
    refused(Kind.CONFLICT, "this is 10.0", () -> fits("10.0", ARGUMENTS, 1 << 20));
    refused(
        Kind.CONFLICT, "its disk had 1048576 bytes, and has 1", () -> fits("7.2", ARGUMENTS, 1));
    refused(
        Kind.CONFLICT,
        "it had size=64M, and now has size=96M",
        () -> fits("7.2", List.of("-S", "-m", "size=96M"), 1 << 20));
    refused(
        Kind.CONFLICT,
        "it had size=64M, and now has nothing",
        () -> fits("7.2", List.of("-S", "-m"), 1 << 20));
  }

  @Test
  void its_devices_in_slots_are_the_same_and_in_the_same_ones() {
    assertEquals(Map.of("dev-eth0", "slot3"), SAVED.slots());
    for (Map.Entry<Map<String, String>, String> other :
        Map.of(
                Map.<String, String>of(),
                "its device dev-eth0 was address 02:00:00:00:00:01, and is not there now",
                Map.of("dev-eth0", "address 02:00:00:00:00:02"),
                "and is now address 02:00:00:00:00:02",
                Map.of("dev-eth0", "address 02:00:00:00:00:01", "disk-a", "1 bytes"),
                "it had no device disk-a: add it while it runs")
            .entrySet()) {
      refused(
          Kind.CONFLICT,
          other.getValue(),
          () ->
              SAVED.requireFit(
                  "instance vm", "7.2", ARGUMENTS, new TreeMap<>(other.getKey()), 1 << 20));
    }
  }

  @Test
  void a_share_of_the_memory_of_another_host_is_what_it_was() {
    Machine.Spec spec = Specs.of("limits.memory", "50%");
    assertEquals(
        Size.ofMebibytes(64),
        VmPlan.of(SAVED.memoryOf(spec), Size.ofGibibytes(9), HostRoot.MACHINE).memory());
    Machine.Spec changed = Specs.of("limits.memory", "25%");
    assertEquals(changed, SAVED.memoryOf(changed));
    Machine.Spec plain = Specs.of("limits.memory", "64MiB");
    assertEquals(plain, SAVED.memoryOf(plain));
    assertEquals("", SavedMachine.memoryLimit(Specs.of()));
  }
}
