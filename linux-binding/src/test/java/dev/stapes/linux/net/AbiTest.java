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
      List.of("stddef.h", "stdio.h", "sys/ioctl.h", "net/if.h", "linux/if_tun.h");

  @Test
  void every_number_is_the_compilers(@TempDir Path directory) throws Exception {
    Map<String, Long> ours = CompiledProbe.constants(Abi.class, MethodHandles.lookup());
    assertTrue(ours.size() > 10, "only " + ours.size());
    CompiledProbe probe = new CompiledProbe(directory, HEADERS);
    ours.keySet().forEach(name -> probe.print(name, expression(name)));
    CompiledProbe.assertSame(ours, probe.values());
  }

  private static String expression(String name) {
    if (name.equals("ifreq_SIZEOF")) {
      return "sizeof(struct ifreq)";
    }
    return name.startsWith("ifreq_")
        ? "offsetof(struct ifreq, " + name.substring("ifreq_".length()) + ")"
        : name;
  }
}
