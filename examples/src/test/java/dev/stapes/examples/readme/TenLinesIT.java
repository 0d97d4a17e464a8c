package dev.stapes.examples.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Stapes;
import dev.stapes.examples.TenLines;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class TenLinesIT {
  @Test
  void the_ten_lines_do_what_they_say(@TempDir Path directory) throws Exception {
    Path root = directory.toRealPath();
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    TenLines.run(root, new PrintStream(out, true, StandardCharsets.UTF_8));

    assertEquals("web\n", out.toString(StandardCharsets.UTF_8));
    try (Stapes stapes = Stapes.open(root)) {
      assertEquals(List.of(), stapes.instances().list());
      stapes.pools().byDefault().delete();
    }
    assertEquals(Set.of(), HostLeftovers.of(root));
  }
}
