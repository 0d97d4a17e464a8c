package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ZfsProviderTest {
  @TempDir Path machine;

  private static FakeHost.Builder tools() {
    return FakeHost.builder()
        .program("zfs", FakeProgram.printing(""))
        .program("zpool", FakeProgram.printing(""));
  }

  private Availability probe(FakeHost host) {
    return new ZfsProvider(machine).probe(host);
  }

  private static void missing(String reason, String remedy, Availability availability) {
    Availability.Unavailable no = assertInstanceOf(Availability.Unavailable.class, availability);
    assertTrue(no.reason().contains(reason), no.toString());
    assertTrue(no.remedy().contains(remedy), no.toString());
  }

  private void file(String path, String text) throws IOException {
    Path file = machine.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void a_machine_without_the_programs_is_told_the_package() {
    missing("zfs not found", "zfsutils-linux", probe(FakeHost.create()));
    FakeHost half = FakeHost.builder().program("zfs", FakeProgram.printing("")).build();
    missing("zpool not found", "zfsutils-linux", probe(half));
  }

  @Test
  void a_kernel_without_the_module_is_found() {
    missing("no module zfs for Linux 6.1.0-fake", "zfs-dkms", probe(tools().build()));
  }

  @Test
  void a_module_that_can_be_loaded_is_enough() throws IOException {
    file("lib/modules/6.1.0-fake/modules.dep", "updates/dkms/zfs.ko.xz: updates/dkms/spl.ko.xz\n");
    assertEquals(Availability.available(), probe(tools().build()));
  }

  @Test
  void a_module_that_is_too_old_is_refused() throws IOException {
    file("sys/module/zfs/version", "2.1.11-1+deb12u1\n");
    missing("OpenZFS 2.1", "2.2", probe(tools().build()));
    file("sys/module/zfs/version", "2.3.2-2~bpo12+2\n");
    assertEquals(Availability.available(), probe(tools().build()));
  }

  @Test
  void one_that_is_too_old_is_refused_also_where_it_is_not_loaded_yet() throws IOException {
    file("lib/modules/6.1.0-fake/modules.dep", "updates/dkms/zfs.ko.xz: updates/dkms/spl.ko.xz\n");
    FakeHost old = tools().program("modinfo", FakeProgram.printing("2.1.11-1\n")).build();
    missing("OpenZFS 2.1", "2.2", probe(old));
    FakeHost recent = tools().program("modinfo", FakeProgram.printing("2.3.2-2\n")).build();
    assertEquals(Availability.available(), probe(recent));
  }

  @Test
  void a_version_that_nobody_can_read_is_no_obstacle() throws IOException {
    file("sys/module/zfs/version", "devel\n");
    assertEquals(Availability.available(), probe(tools().build()));
  }

  @Test
  void root_is_asked_for_first() {
    FakeHost user =
        tools()
            .facts(new Host.Facts("6.1.0-fake", "x86_64", Set.of(0), Size.ofGibibytes(1), false))
            .build();
    missing("not root", "run as root", probe(user));
  }
}
