package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How swtpm is started; what starts is a shell in its place. */
class TpmDaemonTest {
  private static final long USER = 2_000_000_001L;

  @TempDir Path temporary;

  @Test
  void it_finds_both_directories_without_their_paths() throws IOException, InterruptedException {
    Path sockets = Files.createDirectory(temporary.resolve("it's sockets"));
    Path state = Files.createDirectory(temporary.resolve("what it keeps"));
    String script =
        TpmDaemon.script(
            sockets, state, List.of("/bin/sh", "-c", "pwd -P; echo > /proc/self/fd/7/ctrl"));
    Process process = new ProcessBuilder("/bin/sh", "-c", script).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    assertEquals(state.toRealPath().toString(), output);
    assertTrue(Files.exists(sockets.resolve("ctrl")));
  }

  @Test
  void it_is_nobody_and_ends_with_its_client() {
    List<String> command = TpmDaemon.command(Path.of("/setpriv"), Path.of("/swtpm"), USER, false);
    assertEquals("/setpriv", command.get(0));
    assertTrue(String.join(" ", command).contains("--reuid 2000000001 --regid 2000000001"));
    assertTrue(command.contains("--bounding-set=-all"));
    assertTrue(command.contains("--terminate"));
    assertFalse(command.contains("--pdeathsig"));
    assertTrue(
        TpmDaemon.command(Path.of("/setpriv"), Path.of("/swtpm"), USER, true)
            .contains("--pdeathsig"));
  }

  @Test
  void the_socket_of_qemu_is_that_of_swtpm() {
    assertEquals("ctrl", Path.of(TpmDaemon.SOCKET).getFileName().toString());
    assertFalse(Path.of(TpmDaemon.SOCKET).isAbsolute());
  }

  @Test
  void what_it_keeps_is_in_a_directory_and_nothing_else() throws IOException {
    Path state = temporary.resolve("tpm");
    TpmDaemon.prepareState("instance vm", state);
    TpmDaemon.prepareState("instance vm", state);
    assertEquals(
        PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(state));
    Path link = Files.createSymbolicLink(temporary.resolve("link"), state);
    Specs.refused(Kind.INVALID, "not a directory", () -> prepare(link));
    Path file = Files.createFile(temporary.resolve("file"));
    Specs.refused(Kind.INVALID, "not a directory", () -> prepare(file));
  }

  @Test
  void an_initramfs_has_room_beside_a_compressed_kernel_alone() throws IOException {
    Path image = temporary.resolve("vmlinux");
    Files.write(image, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    Firmware.Kernel both = new Firmware.Kernel(image, Optional.of(image), "");
    Specs.refused(Kind.UNSUPPORTED, "vmlinux\"", () -> TpmDaemon.requireRoom(both));
    TpmDaemon.requireRoom(new Firmware.Kernel(image, Optional.empty(), ""));
    Files.writeString(image, "MZ");
    TpmDaemon.requireRoom(both);
    Files.delete(image);
    Specs.refused(Kind.INTERNAL, "qemu.kernel", () -> TpmDaemon.requireRoom(both));
  }

  @Test
  @Timeout(60)
  void it_is_ready_when_somebody_can_connect() throws IOException, InterruptedException {
    Path self = Path.of("/proc/self");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(temporary.resolve("ctrl")));
      while (!TpmDaemon.isListening(self)) {
        Thread.onSpinWait(); // sockets of others that went between two reads
      }
    }
    Process other = new ProcessBuilder("cat").start();
    Path process = Path.of("/proc", Long.toString(other.pid()));
    assertFalse(TpmDaemon.isListening(process));
    other.destroyForcibly().waitFor();
    assertFalse(TpmDaemon.isListening(process));
  }

  private static void prepare(Path state) {
    try {
      TpmDaemon.prepareState("instance vm", state);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
