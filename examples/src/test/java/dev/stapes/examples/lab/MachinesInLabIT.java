package dev.stapes.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.model.ExecResult;
import dev.stapes.model.Size;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.LabTests;
import dev.stapes.testkit.LabVm;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresLab;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Tests of virtual machines within the lab VM, on its zvols and thin volumes; those that {@code
 * -Dstapes.machine.tests=} names, such as {@code ZvolRootIT,ThinVolumeRootIT}.
 */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("qemu-img")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@RequiresLab
@EnabledIfSystemProperty(
    named = MachinesInLabIT.CHOICE,
    matches = ".+",
    disabledReason = "takes minutes: -Dstapes.machine.tests=ZvolRootIT,ThinVolumeRootIT runs it")
@Timeout(value = 1400, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MachinesInLabIT {
  static final String CHOICE = "stapes.machine.tests";

  /** For one that is emulated in it, and what it writes. */
  private static final Size MEMORY = Size.ofMebibytes(3072);

  private static final Path ROOT =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("lab-machines-" + ProcessHandle.current().pid());

  private static List<String> chosen() {
    return Arrays.stream(System.getProperty(CHOICE, "").split(",", -1))
        .map(each -> "dev.stapes.examples.machine." + each)
        .toList();
  }

  @Test
  void a_guest_has_its_root_disk_on_a_real_device_of_a_pool() throws IOException {
    try (LabVm lab = LabVm.boot(ROOT, MEMORY)) {
      lab.load("zfs", "loop", "dm-thin-pool");
      String guest = HostQemu.share(lab);
      ExecResult result =
          LabTests.run(
              lab,
              List.of("zfs", "zpool", "thin-pool", "loop", "lvm", "qemu", "test-guest"),
              List.of(guest, "-Dstapes.build=/tmp"),
              chosen());
      Files.writeString(
          ROOT.resolveSibling("lab-machines-tests.log"), result.stdout() + result.stderr());
      assertEquals(0, result.exitCode(), result.stdout() + result.stderr());
    }
    assertEquals(Set.of(), HostLeftovers.of(ROOT), "left on the machine");
    assertFalse(Files.exists(ROOT));
  }
}
