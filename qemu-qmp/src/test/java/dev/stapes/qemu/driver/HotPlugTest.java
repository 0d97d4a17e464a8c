package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 15, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HotPlugTest {
  private static final String THERE = "[{\"name\": \"usb\", \"type\": \"child<qemu-xhci>\"}]";

  @TempDir Path directory;

  private static String event(String name) {
    return "{\"event\": \""
        + name
        + "\", \"data\": {\"device\": \"usb\", \"path\": \"/machine/peripheral/usb\"},"
        + " \"timestamp\": {\"seconds\": 1, \"microseconds\": 1}}";
  }

  @Test
  void one_of_whose_end_nothing_is_told_is_gone_when_it_is_not_there() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", THERE).answer("qom-list", THERE).answer("qom-list", "[]");
      HotPlug slots = new HotPlug("instance vm", qemu.monitor());
      slots.remove("usb");
      assertFalse(slots.has("usb"));
      assertEquals("device_del", qemu.heard().get(1));
    }
  }

  @Test
  void one_of_whose_end_is_told_is_gone_then() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", THERE).tell("device_del", event("DEVICE_DELETED"));
      new HotPlug("instance vm", qemu.monitor()).remove("usb");
      assertTrue(qemu.heard().contains("device_del"));
    }
  }

  @Test
  void a_guest_may_refuse_to_let_go() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", THERE).tell("device_del", event("DEVICE_UNPLUG_GUEST_ERROR"));
      HotPlug slots = new HotPlug("instance vm", qemu.monitor());
      Specs.refused(Kind.BUSY, "its device usb", () -> slots.remove("usb"));
      assertEquals(List.of("qom-list", "device_del"), qemu.heard());
    }
  }
}
