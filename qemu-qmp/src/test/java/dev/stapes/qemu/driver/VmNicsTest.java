package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is taken away with an interface, with an emulator that says what the test wants. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VmNicsTest {
  @TempDir Path directory;

  private VmNics nics(ScriptedQemu qemu) {
    qemu.answer("qom-list", "[]"); // there is no such device any more
    return new VmNics(
        Specs.ID,
        qemu.monitor(),
        new HotPlug("instance vm", qemu.monitor()),
        Syscalls.system(),
        new HostRoot(directory));
  }

  @Test
  void what_is_not_there_need_not_be_taken_away() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.refuse("netdev_del").refuse("closefd");
      nics(qemu).unplug("eth0");
      assertEquals(List.of("qom-list", "netdev_del", "closefd"), qemu.heard());
    }
  }

  @Test
  void an_end_that_may_be_left_is_told() throws Exception {
    for (String last : List.of("netdev_del", "closefd")) {
      try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
        qemu.hangUp(last);
        VmNics nics = nics(qemu);
        Specs.refused(Kind.UNAVAILABLE, last + ": its emulator is gone", () -> nics.unplug("eth0"));
        assertTrue(qemu.heard().contains(last));
      }
    }
  }
}
