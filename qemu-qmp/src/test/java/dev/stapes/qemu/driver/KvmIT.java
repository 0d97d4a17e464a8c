package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What finds out whether a kernel can run. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("setpriv")
class KvmIT {
  private final Host host = new LinuxHostProvider().open();

  @TempDir Path directory;
  private Path device = HostRoot.MACHINE.kvm();

  @AfterEach
  void close() {
    host.close();
  }

  private Kvm kvm() {
    return kvm(QemuProgram.find(host, QemuProgram.name(host)).orElseThrow());
  }

  private Kvm kvm(QemuProgram qemu) {
    Path setpriv = host.programs().find("setpriv").orElseThrow();
    return new Kvm(host, device, qemu, setpriv, new UserIds("kvm").ofProbe(), directory);
  }

  /** A program in place of QEMU, which a user without rights can reach. */
  private boolean succeeds(String condition) throws IOException {
    Path program =
        Files.writeString(directory.resolve("program"), "#!/bin/sh\n" + condition + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    return kvm(new QemuProgram(program, new QemuProgram.Version(7, 2))).boots("tcg", "max");
  }

  @Test
  void it_is_tried_by_a_user_who_may_do_nothing_and_has_the_probe_open() throws IOException {
    long user = new UserIds("kvm").ofProbe();
    assertTrue(UserIds.contains(user));
    assertTrue(succeeds("[ \"$(id -u) $(id -g)\" = '" + user + " " + user + "' ]"));
    assertTrue(succeeds("grep -q 'CapEff:[[:space:]]*0*$' /proc/self/status"));
    assertTrue(succeeds("[ $(head -c 1048576 <&3 | wc -c) = 1048576 ]"));
    assertFalse(succeeds("[ \"$(id -u)\" = 0 ]"));
    assertFalse(succeeds("[ -r '" + directory + "' ]"));
  }

  @Test
  void where_machines_are_emulated_the_probe_runs_to_its_end() throws IOException {
    assertTrue(kvm().boots("tcg", "max"));
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void a_processor_without_64_bits_does_not_run_it() {
    assertFalse(kvm().boots("tcg", "486"));
  }

  @Test
  void an_accelerator_that_is_none_is_not_usable() {
    assertFalse(kvm().boots("no-such-accelerator", "host"));
  }

  @Test
  void without_a_device_it_is_not_tried_and_else_the_answer_stays() {
    Kvm kvm = kvm();
    boolean usable = kvm.isUsable();
    assertTrue(Files.exists(Path.of("/dev/kvm")) || !usable);
    assertEquals(usable, kvm.isUsable());
  }

  @Test
  void a_host_without_the_device_or_with_one_of_root_alone_has_none() throws IOException {
    HostRoot other = new HostRoot(directory);
    device = other.kvm();
    assertFalse(kvm().isUsable());
    Files.createDirectory(other.dev());
    Files.createFile(device, PosixFilePermissions.asFileAttribute(Set.of()));
    assertFalse(kvm().isUsable());
    assertEquals(OptionalLong.empty(), kvm().group());
    Files.setAttribute(device, "unix:gid", 104);
    assertEquals(OptionalLong.of(104), kvm().group());
  }

  @Test
  @RequiresTool("as")
  @RequiresTool("ld")
  void the_probe_is_what_its_source_says() throws IOException {
    Path source = directory.resolve("kvm-probe.S");
    Files.write(source, resource("kvm-probe.S"));
    Path object = directory.resolve("probe.o");
    Path binary = directory.resolve("probe");
    host.programs().run(Command.of("as", "-o", object.toString(), source.toString()));
    host.programs()
        .run(
            Command.of(
                "ld",
                "-Ttext",
                "0x7c00",
                "--oformat",
                "binary",
                "-o",
                binary.toString(),
                object.toString()));
    assertArrayEquals(Files.readAllBytes(binary), resource("kvm-probe.bin"));
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = Objects.requireNonNull(Kvm.class.getResourceAsStream(name), name)) {
      return in.readAllBytes();
    }
  }
}
