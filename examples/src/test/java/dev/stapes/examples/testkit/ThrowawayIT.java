package dev.stapes.examples.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.Instance;
import dev.stapes.model.Lifetime;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.StapesTest;
import dev.stapes.testkit.Throwaway;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** A machine for each test, on the real drivers. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@StapesTest
class ThrowawayIT {
  @Throwaway(image = "busybox")
  Instance box;

  @Test
  void it_boots_and_is_a_throwaway() {
    assertEquals(0, box.exec("true").exitCode());
    assertEquals(Lifetime.THROWAWAY, box.info().lifetime());
  }

  @RepeatedTest(3)
  void each_test_has_a_fresh_one() {
    assertFalse(box.files().exists("/root/mark"));
    box.exec("touch", "/root/mark").orThrow();
  }
}
