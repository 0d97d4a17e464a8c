package dev.stapes.linux.net;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.CompiledProbe;
import dev.stapes.testkit.RequiresTool;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares every number with what the C compiler of this machine says. */
@RequiresTool("gcc")
class AbiTest {
  private static final List<String> HEADERS =
      List.of(
          "stddef.h",
          "stdio.h",
          "sys/ioctl.h",
          "netinet/in.h",
          "net/if.h",
          "linux/if_tun.h",
          "linux/sockios.h");

  @Test
  void every_number_is_the_compilers(@TempDir Path directory) throws Exception {
    Map<String, Long> ours = CompiledProbe.constants(Abi.class, MethodHandles.lookup());
    assertTrue(ours.size() > 10, "only " + ours.size());
    CompiledProbe probe = new CompiledProbe(directory, HEADERS);
    ours.keySet().forEach(name -> probe.print(name, expression(name)));
    CompiledProbe.assertSame(ours, probe.values());
  }

  private static String expression(String name) {
    for (String struct : List.of("ifreq", "sockaddr_in", "sockaddr_in6")) {
      if (name.equals(struct + "_SIZEOF")) {
        return "sizeof(struct " + struct + ")";
      }
      if (name.startsWith(struct + "_")) {
        return "offsetof(struct " + struct + ", " + name.substring(struct.length() + 1) + ")";
      }
    }
    return name;
  }
}
