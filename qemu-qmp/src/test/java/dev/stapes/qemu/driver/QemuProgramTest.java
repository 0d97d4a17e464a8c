package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QemuProgramTest {
  private static final String NAME = "qemu-system-x86_64";

  private static FakeHost.Builder host(String said) {
    return FakeHost.builder().program(NAME, FakeProgram.printing(said));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18);7.2;true",
        "QEMU emulator version 10.0.2;10.0;true",
        "QEMU emulator version 7.1.0;7.1;false",
        "QEMU emulator version 6.2.0 (qemu-6.2.0-1);6.2;false",
        "QEMU emulator version 7.20.0;7.20;true"
      })
  void versions_are_compared_as_numbers(String said, String version, boolean usable) {
    QemuProgram program = QemuProgram.find(host(said).build(), NAME).orElseThrow();
    assertEquals(version, program.version().toString());
    assertEquals(usable, program.isUsable());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "QEMU", "QEMU emulator version x", "QEMU emulator version 99999999999.1"})
  void what_is_no_version_is_quoted(String said) {
    assertEquals(Optional.empty(), QemuProgram.parse(said));
    Specs.refused(
        Kind.UNAVAILABLE,
        "/usr/bin/" + NAME + " does not tell its version: " + said,
        () -> QemuProgram.find(host(said).build(), NAME));
  }

  @Test
  void a_machine_without_it_has_none() {
    assertEquals(Optional.empty(), QemuProgram.find(FakeHost.create(), NAME));
  }

  @Test
  void another_one_than_the_installed_one_can_be_chosen() {
    FakeProgram newer = FakeProgram.printing("QEMU emulator version 10.0.0");
    Host host =
        host("QEMU emulator version 5.2.0")
            .program("qemu10", newer)
            .program("setpriv", FakeProgram.printing(""))
            .build();
    assertEquals(Availability.available(), new QemuDriverProvider("qemu10").probe(host));
    String missing = "/no/such/qemu";
    assertTrue(
        new QemuDriverProvider(missing).probe(host).toString().contains(missing + " not found"));
  }

  private static void unavailable(String words, Host host) {
    Availability found = new QemuDriverProvider().probe(host);
    assertTrue(found.toString().contains(words), found::toString);
  }

  @Test
  void the_driver_says_what_it_misses() {
    String version = "QEMU emulator version 7.2.0";
    Host.Facts facts = new Host.Facts("6.1.0", "x86_64", Set.of(0), Size.ofGibibytes(1), false);
    unavailable("not root", host(version).facts(facts).build());
    unavailable(NAME + " not found", FakeHost.create());
    unavailable("setpriv not found", host(version).build());
    FakeProgram setpriv = FakeProgram.printing("");
    unavailable(
        "QEMU 5.2 is too old",
        host("QEMU emulator version 5.2.0").program("setpriv", setpriv).build());
    assertEquals(
        Availability.available(),
        new QemuDriverProvider().probe(host(version).program("setpriv", setpriv).build()));
  }

  @Test
  void another_architecture_has_an_emulator_of_its_own() {
    Host.Facts facts = new Host.Facts("6.1.0", "aarch64", Set.of(0), Size.ofGibibytes(1), true);
    unavailable("qemu-system-aarch64 not found", FakeHost.builder().facts(facts).build());
  }
}
