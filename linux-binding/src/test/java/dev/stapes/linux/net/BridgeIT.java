package dev.stapes.linux.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bridges of this machine. */
@RequiresRoot
@RequiresTool("ip")
class BridgeIT {
  private static final Syscalls SYS = Syscalls.system();

  private final String bridge = "stb" + ProcessHandle.current().pid();
  private final String port = "stq" + ProcessHandle.current().pid();

  private static void ip(String... words) throws IOException, InterruptedException {
    String[] command = new String[words.length + 1];
    command[0] = "ip";
    System.arraycopy(words, 0, command, 1, words.length);
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertEquals(0, process.waitFor());
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
  void an_interface_becomes_a_port_once() throws IOException {
    try (Tap tap = Tap.create(SYS, port, Optional.empty())) {
      Bridge.add(SYS, bridge, tap.name());
      Path master = Files.readSymbolicLink(Path.of("/sys/class/net", port, "master"));
      assertTrue(master.endsWith(bridge), master::toString);
      fails(Errno.EBUSY, bridge, port);
    }
  }

  @Test
  void what_is_not_there_is_an_error() {
    fails(Errno.ENODEV, bridge, "no-such-port");
    fails(Errno.ENODEV, "no-such-bridge", bridge);
    fails(Errno.EINVAL, "a name that is too long", bridge);
    fails(Errno.EINVAL, bridge, "");
  }

  private static void fails(int errno, String bridge, String port) {
    LinuxException e = assertThrows(LinuxException.class, () -> Bridge.add(SYS, bridge, port));
    assertEquals(errno, e.errno(), e::toString);
  }
}
