package dev.stapes.storage.lvm;

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
 * Tests of the driver on the lab VM's LVM and device-mapper; usual are those of the contract with
 * the tag {@code smoke}. {@code -Dstapes.lvm.tests=} names others, separated by commas, such as
 * {@code LvmContractIT} for the whole contract, which takes a quarter of an hour, {@code
 * LvmPoolsIT}, {@code LvmFullIT}, {@code LvmBlocksIT}, {@code LvmRootDeviceIT}, {@code LvmCrashIT},
 * and of plain volumes {@code LvmPlainIT} and {@code LvmPlainContractIT}.
 */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresLab
@Timeout(value = 1400, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LvmLabIT {
  private static final String USUAL = "LvmContractIT,tag:smoke";

  private static final Path ROOT =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("lab-lvm-" + ProcessHandle.current().pid());

  @Test
  void the_driver_does_on_a_real_device_mapper_what_its_contract_says() throws IOException {
    try (LabVm lab = LabVm.boot(ROOT)) {
      lab.load("loop", "dm-thin-pool", "dm-snapshot", "xfs", "btrfs");
      ExecResult result =
          LabTests.run(
              lab,
              List.of("thin-pool", "loop", "lvm", "thin_check"),
              LabTests.chosen(LvmLabIT.class, "stapes.lvm.tests", USUAL));
      Files.writeString(
          ROOT.resolveSibling("lab-lvm-tests.log"), result.stdout() + result.stderr());
      assertEquals(0, result.exitCode(), result.stdout() + result.stderr());
    }
    assertEquals(Set.of(), HostLeftovers.of(ROOT), "left on the machine");
    assertFalse(Files.exists(ROOT));
  }
}
