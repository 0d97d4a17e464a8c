package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.qemu.driver.QemuDriverProvider;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A guest of UEFI moves between two QEMUs of the newer version, with its variables; one boot. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu10-system-x86_64")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FirmwareMigrationIT {
  private static final String PROGRAM = "qemu10-system-x86_64";

  /** What the firmware writes when it has found what to boot. */
  private static final byte[] BOOT_ORDER = "BootOrder".getBytes(StandardCharsets.UTF_16LE);

  @RegisterExtension
  static final VmBench HERE = new VmBench("dir", new QemuDriverProvider(PROGRAM));

  @RegisterExtension
  static final VmBench THERE = new VmBench("dir", new QemuDriverProvider(PROGRAM));

  private static List<Path> variables(VmBench bench) throws IOException {
    try (Stream<Path> all = Files.walk(bench.root().resolve("pools"))) {
      return all.filter(file -> file.endsWith("nvram.fd")).toList();
    }
  }

  @Test
  void its_variables_go_with_it_and_it_stays_where_the_other_dies() throws IOException {
    Instance vm =
        HERE.stapes()
            .instances()
            .launch(
                HERE.firmwareSpec()
                    .config("security.secureboot", "false")
                    .config("migration.stateful", "true")
                    .build());
    GuestCounter.start(vm);
    long before = GuestCounter.count(vm);

    Progress disturbance = (stage, done, total) -> endAt(stage);
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> vm.migrateTo(THERE.stapes(), "moved", Transport.tcp(), disturbance));
    assertEquals(Kind.UNAVAILABLE, e.kind(), e::toString);
    assertTrue(GuestCounter.count(vm) > before);

    byte[] variables = Files.readAllBytes(variables(HERE).get(0));
    assertTrue(text(variables).contains(text(BOOT_ORDER)));
    Instance moved = vm.migrateTo(THERE.stapes(), "moved", Transport.tcp(), Progress.NONE);
    assertEquals(InstanceStatus.RUNNING, moved.info().status());
    assertTrue(GuestCounter.count(moved) > before);
    assertEquals(List.of(), variables(HERE));
    assertArrayEquals(variables, Files.readAllBytes(variables(THERE).get(0)));
    moved.delete(Delete.FORCE);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static void endAt(String stage) {
    if (stage.equals("memory")) {
      ProcessHandle.allProcesses()
          .filter(FirmwareMigrationIT::isThere)
          .forEach(ProcessHandle::destroyForcibly);
    }
  }

  private static boolean isThere(ProcessHandle process) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/cwd"))
          .startsWith(THERE.root());
    } catch (IOException e) {
      return false; // it has ended
    }
  }
}
