package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.StapesException.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class SavedMachineTest {
  private static final List<String> ARGUMENTS = List.of("-S", "-m", "size=64M");
  private static final SavedMachine SAVED =
      new SavedMachine("abcd", "7.2", ARGUMENTS, 1 << 20, 64 << 20, "00ff");

  @Test
  void what_was_written_is_read() {
    assertEquals(SAVED, SavedMachine.read("instance vm", SAVED.write()));
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

  @Test
  void it_fits_the_same_machine_alone() {
    SAVED.requireFit("instance vm", "7.2", ARGUMENTS, 1 << 20);
    refused(
        Kind.CONFLICT,
        "this is 10.0",
        () -> SAVED.requireFit("instance vm", "10.0", ARGUMENTS, 1 << 20));
    refused(
        Kind.CONFLICT,
        "its disk had 1048576 bytes, and has 1",
        () -> SAVED.requireFit("instance vm", "7.2", ARGUMENTS, 1));
    refused(
        Kind.CONFLICT,
        "it had size=64M, and now has size=96M",
        () -> SAVED.requireFit("vm", "7.2", List.of("-S", "-m", "size=96M"), 1 << 20));
    refused(
        Kind.CONFLICT,
        "it had size=64M, and now has nothing",
        () -> SAVED.requireFit("vm", "7.2", List.of("-S", "-m"), 1 << 20));
  }
}
