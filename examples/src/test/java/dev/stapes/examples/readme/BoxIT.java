package dev.stapes.examples.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Instance;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.StapesTest;
import dev.stapes.testkit.Throwaway;
import org.junit.jupiter.api.Test;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@StapesTest
class BoxIT {
  @Throwaway(image = "busybox")
  Instance box; // fresh for each test, gone after it

  @Test
  void it_boots() {
    assertEquals(0, box.exec("true").exitCode());
  }
}
