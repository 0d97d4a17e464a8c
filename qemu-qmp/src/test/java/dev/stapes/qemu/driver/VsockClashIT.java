package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.model.Config;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.TakenException;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A guest of somebody else has a vsock id. The host's device is a file, QEMU starts without it. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("setpriv")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VsockClashIT {
  private static final Map<String, String> BIOS =
      Map.of(
          "security.secureboot", "false",
          "security.csm", "true",
          "qemu.accelerator", "tcg",
          "limits.memory", "64MiB");

  @TempDir Path directory;

  /** Says what QEMU says of an id that is taken; else it is QEMU without the device. */
  private Path program(long held, Path qemu) throws IOException {
    String script =
        """
        #!/bin/bash
        arguments=()
        for each; do
          case $each in
            *'"guest-cid":HELD,'*)
              echo "qemu: -device $each: vhost-vsock: unable to set guest cid:" \\
                "Address already in use" >&2
              exit 1 ;;
            *vhost-vsock*) unset 'arguments[-1]' ;;
            *) arguments+=("$each") ;;
          esac
        done
        exec QEMU "${arguments[@]}"
        """;
    Path program = directory.resolve("qemu");
    Files.writeString(
        program, script.replace("HELD", Long.toString(held)).replace("QEMU", qemu.toString()));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Machine.Spec with(Machine.Spec spec, Map<String, String> keys) {
    return new Machine.Spec(
        spec.id(),
        spec.name(),
        spec.lifetime(),
        spec.config().with(keys),
        new TreeMap<>(),
        spec.root(),
        new TreeMap<>());
  }

  private DriverContext context(Host host, QemuProgram qemu, Path run) throws IOException {
    HostRoot root = new HostRoot(directory.resolve("root"));
    Files.createDirectories(root.dev());
    Files.createFile(root.vsock());
    Files.createDirectories(root.proc().resolve("self"));
    Syscalls sys = Syscalls.system();
    Path setpriv = host.programs().find("setpriv").orElseThrow();
    return new DriverContext(
        host,
        Specs.scope(run, "vsockclash"),
        sys,
        root,
        qemu,
        setpriv,
        new Kvm(host, root.kvm(), qemu, setpriv, new UserIds("vsockclash").ofProbe(), run),
        new Vsock(sys, root.vsock()),
        QmpLoop.open(sys, Thread::new),
        Executors.newCachedThreadPool());
  }

  @Test
  void the_next_start_has_another_id() throws IOException {
    Path run = Files.createDirectory(directory.resolve("run"));
    Files.createDirectory(run.resolve("logs"));
    Path volume = Files.createDirectory(directory.resolve("volume"));
    try (RandomAccessFile disk = new RandomAccessFile(volume.resolve("root.img").toFile(), "rw")) {
      disk.setLength(1 << 20);
    }
    Machine.Spec bare =
        Specs.of()
            .with(
                new Machine.Disk(
                    volume, java.util.Optional.empty(), dev.stapes.model.Device.IoLimits.NONE),
                new TreeMap<>());
    VsockIds ids = new VsockIds("vsockclash");
    long held = VsockIds.of(Config.of(ids.allocate(Config.empty(), List.of()))).orElseThrow();
    try (Host host = new LinuxHostProvider().open()) {
      QemuProgram real = QemuProgram.find(host, QemuProgram.name(host)).orElseThrow();
      QemuProgram qemu = new QemuProgram(program(held, real.path()), real.version());
      try (QemuDriver driver = new QemuDriver(context(host, qemu, run))) {
        Config empty = Config.of(BIOS);
        Machine.Spec first = with(bare, BIOS);
        first = with(first, driver.allocate(empty, List.of()));
        assertEquals(held, VsockIds.of(first.config()).orElseThrow());
        Machine.Spec clashing = first;
        TakenException e = assertThrows(TakenException.class, () -> driver.start(clashing));
        assertEquals(Kind.BUSY, e.kind());
        assertTrue(e.toString().contains(Long.toString(held)), e.toString());
        assertFalse(Files.exists(run.resolve(Specs.ID.value())), "nothing is left of it");

        Machine.Spec second = with(first, driver.allocate(first.config(), List.of()));
        assertEquals(held + 1, VsockIds.of(second.config()).orElseThrow());
        Machine machine = driver.start(second);
        machine.kill();
      }
    }
  }
}
