package dev.stapes.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.LabVm;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresLab;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The lab VM has a real OpenZFS and a real device-mapper. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresLab
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LabIT {
  private static final Path ROOT =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("lab-" + ProcessHandle.current().pid());

  private static LabVm lab;

  @BeforeAll
  static void boot() {
    lab = LabVm.boot(ROOT);
  }

  @AfterAll
  static void end() throws IOException {
    lab.close();
    assertEquals(Set.of(), HostLeftovers.of(ROOT), "left on the machine");
    assertFalse(Files.exists(ROOT));
  }

  @Test
  void zfs_takes_snapshots_clones_them_and_rolls_back() {
    lab.load("zfs");
    String disk = lab.scratchDisk(256);
    lab.run("zpool", "create", "-O", "mountpoint=/mnt/tank", "tank", disk).orThrow();
    lab.script(
        "zfs create tank/data; echo before >/mnt/tank/data/file; zfs snapshot tank/data@clean;"
            + " zfs clone tank/data@clean tank/copy; echo after >/mnt/tank/data/file;"
            + " echo copied >/mnt/tank/copy/file");
    assertEquals("after\n", lab.run("cat", "/mnt/tank/data/file").orThrow().stdout());
    lab.run("zfs", "rollback", "tank/data@clean").orThrow();
    assertEquals("before\n", lab.run("cat", "/mnt/tank/data/file").orThrow().stdout());
    assertEquals("copied\n", lab.run("cat", "/mnt/tank/copy/file").orThrow().stdout());
    assertNotEquals(0, lab.run("zfs", "destroy", "tank/data@clean").exitCode());
    lab.script("zpool destroy tank; losetup -d " + disk);
  }

  @Test
  void lvm_makes_thin_pools_volumes_and_snapshots() {
    lab.load("dm-thin-pool");
    String disk = lab.scratchDisk(256);
    lab.script(
        "pvcreate -q "
            + disk
            + "; vgcreate -q vg "
            + disk
            + "; lvcreate -q -L 128M -T vg/pool; lvcreate -q -V 64M -T vg/pool -n root;"
            + " mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /mnt; echo before >/mnt/file;"
            + " umount /mnt; lvcreate -q -s -n snap vg/root; mount /dev/vg/root /mnt;"
            + " echo after >/mnt/file; umount /mnt; lvchange -q -ay -K vg/snap;"
            + " mount /dev/vg/snap /mnt");
    assertEquals("before\n", lab.run("cat", "/mnt/file").orThrow().stdout());
    String volumes = lab.script("umount /mnt; lvs --noheadings -o lv_name,pool_lv vg");
    assertTrue(volumes.replaceAll("\\s+", " ").contains("root pool snap pool"), volumes);
    lab.script("vgremove -q -f -y vg; losetup -d " + disk);
  }

  /** Runs in it. */
  static final class Inside {
    public static void main(String[] arguments) throws IOException {
      Files.writeString(Path.of(arguments[0]), "Java " + Runtime.version().feature());
    }
  }

  @Test
  void its_java_runs_classes_that_were_pushed_into_it() throws Exception {
    Path classes = Path.of(LabIT.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    String file = Inside.class.getName().replace('.', '/') + ".class";
    String directory = "/tmp/classes/" + file.substring(0, file.lastIndexOf('/'));
    lab.run("mkdir", "-p", directory).orThrow();
    lab.push(classes.resolve(file), "/tmp/classes/" + file);
    lab.run("java", "-XX:+UseSerialGC", "-cp", "/tmp/classes", Inside.class.getName(), "/tmp/said")
        .orThrow();
    assertEquals("Java 17", lab.run("cat", "/tmp/said").orThrow().stdout());
  }

  @Test
  void a_script_ends_with_its_first_command_that_fails() {
    var e = assertThrows(RuntimeException.class, () -> lab.script("echo so far; false; touch /no"));
    assertTrue(String.valueOf(e.getMessage()).contains("1"), e.getMessage());
    assertNotEquals(0, lab.run("test", "-e", "/no").exitCode());
  }
}
