package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.model.ExecResult;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.LabTests;
import dev.stapes.testkit.LabVm;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresLab;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tests of the driver on the lab VM's OpenZFS; usual are those with the tag {@code smoke}. {@code
 * -Dstapes.zfs.tests=} names others, separated by commas, such as {@code ZfsContractIT} for the
 * whole contract, which takes a quarter of an hour, {@code ZfsZpoolIT}, {@code ZfsSweepIT}, {@code
 * ZfsFaultsIT}, {@code ZfsCrashIT} and {@code ZfsLostDeviceIT}.
 */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresLab
@Timeout(value = 1200, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZfsLabIT {
  private static final String USUAL =
      "ZfsCallsIT,ZfsZpoolIT,ZfsRootDeviceIT,ZfsContractIT,tag:smoke";

  private static final Path ROOT =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("lab-zfs-" + ProcessHandle.current().pid());

  @Test
  void the_driver_does_on_a_real_zfs_what_its_contract_says() throws IOException {
    try (LabVm lab = LabVm.boot(ROOT)) {
      lab.load("zfs", "loop", "btrfs", "dm-mod");
      ExecResult result =
          LabTests.run(
              lab,
              List.of("zfs", "zpool"),
              LabTests.chosen(ZfsLabIT.class, "stapes.zfs.tests", USUAL));
      Files.writeString(
          ROOT.resolveSibling("lab-zfs-tests.log"), result.stdout() + result.stderr());
      assertEquals(0, result.exitCode(), result.stdout() + result.stderr());
    }
    assertEquals(Set.of(), HostLeftovers.of(ROOT), "left on the machine");
    assertFalse(Files.exists(ROOT));
  }
}
