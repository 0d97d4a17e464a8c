package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** UEFI with secure boot and a TPM. The test guest is signed with a key that nobody trusts. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("swtpm")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SecureBootInGuestIT {
  private static final Path SNAKEOIL = Path.of("/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd");

  @RegisterExtension static final VmBench BENCH = new VmBench("dir");

  private static Path variables() throws IOException {
    try (Stream<Path> all = Files.walk(BENCH.root().resolve("pools"))) {
      return all.filter(path -> path.endsWith("nvram.fd")).findFirst().orElseThrow();
    }
  }

  /** What comes on the console until some words were there, or it ends. */
  private static String console(Instance vm, String words) throws IOException {
    StringBuilder log = new StringBuilder();
    try (InputStream follow = vm.consoleLog().follow()) {
      int next = follow.read();
      while (next >= 0 && log.indexOf(words) < 0) {
        log.append((char) next);
        next = follow.read();
      }
    }
    return log.toString();
  }

  @Test
  void what_is_signed_with_an_enrolled_key_boots_and_nothing_else() throws IOException {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(BENCH.firmwareSpec().device("tpm0", new Device.Tpm()).build());
    String log = console(vm, "Access Denied");
    assertTrue(log.contains("Access Denied"), log);
    assertFalse(log.contains("BdsDxe: starting Boot0001"), log);
    vm.stop(Stop.FORCE);

    Files.write(variables(), Files.readAllBytes(SNAKEOIL), StandardOpenOption.TRUNCATE_EXISTING);
    vm.start();
    vm.exec("sh", "-c", "dmesg | grep 'Secure boot enabled'").orThrow();
    String measured = "cat /sys/class/tpm/tpm0/pcr-sha256/7";
    String policy = vm.exec("sh", "-c", measured).orThrow().stdout().strip();
    assertTrue(policy.matches("[0-9A-F]{64}") && !policy.matches("0+"), policy);
    vm.stop(Stop.FORCE);
  }
}
