package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProcessStateTest {
  private static String stat(String name, String state, int threads) {
    return "14058 ("
        + name
        + ") "
        + state
        + " 14014 14014 11740 0 -1 4194304 100 0 1 0 0 0 0 0 20 0 "
        + threads
        + " 0 1282583 3133440 410 18446744073709551615 94286390759424 94286390779305 0 0 0\n";
  }

  @Test
  void a_process_is_read() {
    assertEquals(
        Optional.of(new ProcessState("zfs", false, "1282583")),
        ProcessState.parse(stat("zfs", "D", 1)));
    assertEquals(
        Optional.of(new ProcessState("a) S (b\n", false, "1282583")),
        ProcessState.parse(stat("a) S (b\n", "R", 7)));
  }

  @Test
  void a_zombie_is_over_unless_a_thread_of_it_goes_on() {
    for (String state : new String[] {"Z", "X"}) {
      assertEquals(
          Optional.of(new ProcessState("zpool", true, "1282583")),
          ProcessState.parse(stat("zpool", state, 1)));
    }
    assertFalse(ProcessState.parse(stat("zpool", "Z", 2)).orElseThrow().over());
  }

  @Test
  void what_is_no_process_is_none() {
    assertEquals(Optional.empty(), ProcessState.parse(""));
    assertEquals(Optional.empty(), ProcessState.parse("1 (zfs"));
    assertEquals(Optional.empty(), ProcessState.of(Path.of("/nonexistent")));
  }

  @Test
  void this_one_goes_on() {
    assertFalse(ProcessState.of(Path.of("/proc/self")).orElseThrow().over());
  }
}
