package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Config;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a start makes for a guest: what cloud-init would read, and room in its log. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SeedInGuestIT {
  private static final String DISK =
      "d=/dev/$(grep -l cidata /sys/block/vd*/serial | cut -d / -f 4); ";

  @RegisterExtension final DriverBench bench = new DriverBench();

  private static String mounted(Machine vm, String options, String files) {
    return DriverBench.run(
        vm,
        DISK
            + "exec 2>&1; set -e; modprobe isofs; modprobe nls_utf8; mkdir -p /tmp/seed;"
            + " mount -t iso9660 -o ro,"
            + options
            + " $d /tmp/seed; cd /tmp/seed; "
            + files
            + "; cd /; umount /tmp/seed");
  }

  @Test
  void the_seed_is_found_by_its_label_and_follows_the_keys_and_a_full_log_is_put_aside()
      throws IOException {
    String large = "#cloud-config\n# " + "\u00e4".repeat(5000) + "\nend: true";
    String network = "version: 2\n";
    Machine.Spec spec =
        bench.spec(Map.of(), "cloud-init.user-data", large, "user.network-config", network);
    Machine vm = bench.start(spec);
    String names = "meta-data network-config user-data vendor-data\n";
    String primary = mounted(vm, "nojoliet", "echo *; cat user-data");
    assertEquals(names + large, primary);
    String joliet =
        mounted(vm, "iocharset=utf8", "echo *; cat vendor-data network-config meta-data");
    String found = names + "#cloud-config\n{}\nversion: 2\ninstance-id: \"";
    assertEquals(found, joliet.substring(0, Math.min(found.length(), joliet.length())));
    assertTrue(joliet.endsWith("\nlocal-hostname: \"vm\""), joliet);
    String label = DriverBench.run(vm, DISK + "head -c 32814 $d | tail -c 6");
    assertEquals("cidata", label, "where all readers look for it");
    DriverBench.run(vm, DISK + "! echo x >$d");

    Path log = vm.consoleLog();
    String full = "x".repeat(1 << 20);
    Files.writeString(log, full, StandardOpenOption.APPEND);
    Path before = log.resolveSibling("console.log.1");
    while (!Files.exists(before)) {
      Thread.onSpinWait();
    }
    assertTrue((Files.readString(before) + Files.readString(log)).contains(full));
    DriverBench.run(vm, "echo to the log >/dev/ttyS0");
    while (!Files.readString(log).contains("to the log")) {
      Thread.onSpinWait();
    }
    assertTrue(Files.size(log) < full.length(), "it was put aside");

    assertTrue(seed(vm).contains("version: 2"));
    vm.kill();
    Config changed = spec.config().with(Map.of("user.network-config", ""));
    vm = bench.start(DriverBench.with(spec, Map.of(), changed));
    assertFalse(seed(vm).contains("version: 2"), "it is made anew with each start");
    assertTrue(seed(vm).contains(large));
  }

  /** The seed as its QEMU has it open. */
  private static String seed(Machine vm) throws IOException {
    Path fds = Path.of("/proc", Long.toString(vm.pid()), "fd");
    try (Stream<Path> all = Files.list(fds)) {
      Path seed = all.filter(fd -> target(fd).endsWith("/seed.iso")).findFirst().orElseThrow();
      return new String(Files.readAllBytes(seed), StandardCharsets.UTF_8);
    }
  }

  private static String target(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (IOException e) {
      return "closed meanwhile";
    }
  }
}
