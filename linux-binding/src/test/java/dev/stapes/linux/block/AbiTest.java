package dev.stapes.linux.block;

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
          "linux/types.h",
          "linux/fs.h",
          "linux/loop.h",
          "linux/quota.h",
          "sys/ioctl.h");

  private static final List<String> STRUCTS =
      List.of("loop_config", "loop_info64", "fsxattr", "if_dqblk");

  @Test
  void every_number_is_the_compilers(@TempDir Path directory) throws Exception {
    Map<String, Long> ours = CompiledProbe.constants(Abi.class, MethodHandles.lookup());
    assertTrue(ours.size() > 30, "only " + ours.size());
    CompiledProbe probe = new CompiledProbe(directory, HEADERS);
    ours.keySet().forEach(name -> probe.print(name, expression(name)));
    CompiledProbe.assertSame(ours, probe.values());
  }

  private static String expression(String name) {
    for (String struct : STRUCTS) {
      if (name.startsWith(struct + "_")) {
        String member = name.substring(struct.length() + 1);
        return member.equals("SIZEOF")
            ? "sizeof(struct " + struct + ")"
            : "offsetof(struct " + struct + ", " + member + ")";
      }
    }
    return name;
  }
}
