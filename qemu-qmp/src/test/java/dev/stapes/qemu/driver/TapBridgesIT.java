package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.net.Tap;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ends of interfaces and bridges of this machine. */
@RequiresRoot
@RequiresTool("ip")
class TapBridgesIT {
  private static final Syscalls SYS = Syscalls.system();

  private final String bridge = "stb" + ProcessHandle.current().pid();
  private final String end = "stq" + ProcessHandle.current().pid();
  private final Machine.Spec spec = Specs.of(Map.of("eth0", Device.Nic.p2p().hostName(end)));
  private final TapBridges bridges = TapBridges.of(HostRoot.MACHINE, SYS);

  private static void ip(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(words));
    assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
  }

  @BeforeEach
  void make() throws Exception {
    ip("link", "add", bridge, "type", "bridge");
  }

  @AfterEach
  void remove() throws Exception {
    ip("link", "delete", bridge);
  }

  @Test
  void one_that_moves_gets_into_its_bridge() {
    try (Tap tap = Tap.create(SYS, end, Optional.empty())) {
      assertEquals(Map.of(), bridges.of(spec));
      TapBridges.join(SYS, spec, Map.of("eth0", bridge, "gone", "no-such-bridge"));
      assertEquals(Map.of("eth0", bridge), bridges.of(spec));
      assertEquals(end, tap.name());
    }
  }

  @Test
  void what_is_missing_is_told() {
    try (Tap tap = Tap.create(SYS, end, Optional.empty())) {
      conflict("no-such-bridge", "no-such-bridge: ioctl(SIOCBRADDIF)");
      assertEquals(end, tap.name());
    }
    conflict(bridge, end + ": ioctl(SIOCGIFINDEX)");
  }

  private void conflict(String wanted, String missing) {
    Specs.refused(
        Kind.CONFLICT,
        "device eth0: its end on the host, "
            + end
            + ", cannot be in the bridge "
            + wanted
            + ": "
            + missing,
        () -> TapBridges.join(SYS, spec, Map.of("eth0", wanted)));
  }

  @Test
  void one_with_an_address_does_not_move() throws Exception {
    try (Tap tap = Tap.create(SYS, end, Optional.empty())) {
      ip("address", "add", "192.0.2.1/32", "dev", tap.name());
      Specs.refused(Kind.UNSUPPORTED, end + ", has addresses", () -> bridges.of(spec));
    }
    Specs.refused(Kind.UNSUPPORTED, "in another network namespace", () -> bridges.of(spec));
  }
}
