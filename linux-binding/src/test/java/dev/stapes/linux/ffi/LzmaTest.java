package dev.stapes.linux.ffi;

import dev.stapes.testkit.RequiresTool;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares every number with what the C compiler of this machine says. */
@RequiresTool("gcc")
class LzmaTest {
  private static final String STREAM = "lzma_stream_";

  @Test
  void every_number_is_the_compilers(@TempDir Path directory) throws Exception {
    Map<String, Long> ours = CompiledProbe.constants(Lzma.class, MethodHandles.lookup());
    CompiledProbe probe = new CompiledProbe(directory, List.of("stddef.h", "stdio.h", "lzma.h"));
    ours.keySet().forEach(name -> probe.print(name, expression(name)));
    CompiledProbe.assertSame(ours, probe.values());
  }

  private static String expression(String name) {
    if (name.equals("lzma_stream_SIZEOF")) {
      return "sizeof(lzma_stream)";
    }
    return name.startsWith(STREAM)
        ? "offsetof(lzma_stream, " + name.substring(STREAM.length()) + ")"
        : name;
  }
}
