package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.LabVm;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresLab;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Runs tests of the driver on the lab VM's OpenZFS: its class path is shared with the VM, whose
 * Java runs {@link LabRun}. Usual are the tests with the tag {@code smoke}. {@code
 * -Dstapes.zfs.tests=} names others, separated by commas, such as {@code ZfsContractIT} for the
 * whole contract, which takes a quarter of an hour.
 */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresLab
@Timeout(value = 1200, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZfsLabIT {
  private static final String SHARED = "/mnt/tests";
  private static final String TAG = "tag:";
  private static final String USUAL = "ZfsZpoolIT,ZfsContractIT," + TAG + "smoke";

  private static final Path ROOT =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("lab-" + ProcessHandle.current().pid());

  @Test
  void the_driver_does_on_a_real_zfs_what_its_contract_says() throws IOException {
    Path tests = ROOT.resolveSibling(ROOT.getFileName() + "-tests");
    Files.createDirectory(tests);
    try (LabVm lab = LabVm.boot(ROOT)) {
      List<String> classPath = share(tests);
      lab.load("zfs", "loop", "virtiofs");
      lab.instance()
          .update(
              change ->
                  change.device(
                      "tests",
                      Device.disk(SHARED, disk -> disk.source(tests.toString()).readOnly())));
      lab.script(
          "for i in {1..300}; do grep -q ' "
              + SHARED
              + " ' /proc/mounts && exit 0; sleep 0.1; done; echo not mounted >&2; exit 1");
      ExecResult result = run(lab, classPath);
      assertEquals(0, result.exitCode(), result.stdout() + result.stderr());
    } finally {
      delete(tests);
    }
    assertEquals(Set.of(), HostLeftovers.of(ROOT), "left on the machine");
    assertFalse(Files.exists(ROOT));
  }

  private static ExecResult run(LabVm lab, List<String> classPath) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "java",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-Dstapes.required=root,zfs,zpool",
                "-cp",
                String.join(":", classPath),
                LabRun.class.getName()));
    String chosen = System.getProperty("stapes.zfs.tests", USUAL);
    String here = ZfsLabIT.class.getPackageName() + ".";
    Arrays.stream(chosen.split(",", -1))
        .map(each -> each.startsWith(TAG) ? each : here + each)
        .forEach(command::add);
    ExecResult result = lab.run(command.toArray(new String[0]));
    Files.writeString(ROOT.resolveSibling("lab-tests.log"), result.stdout() + result.stderr());
    return result;
  }

  /** Copies this JVM's class path to where the VM sees it. */
  private static List<String> share(Path tests) throws IOException {
    List<String> shared = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator, -1)) {
      Path from = Path.of(entry);
      if (!entry.isEmpty() && Files.exists(from)) {
        String name = shared.size() + "-" + from.getFileName();
        copy(from, tests.resolve(name));
        shared.add(SHARED + "/" + name);
      }
    }
    return shared;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
