package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A program that serves a socket that the test listens on before it starts: it can be connected to
 * from the first moment on.
 */
final class RealQemu implements AutoCloseable {
  private static final Syscalls SYS = Syscalls.system();

  private final Spawner spawner;
  private final ChildProcess process;
  private final Path socket;

  private RealQemu(Spawner spawner, ChildProcess process, Path socket) {
    this.spawner = spawner;
    this.process = process;
    this.socket = socket;
  }

  /** QEMU without a machine. */
  static RealQemu start(Path dir, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of("-machine", "none", "-nodefaults", "-display", "none", "-accel", "tcg"));
    arguments.addAll(List.of("-chardev", "socket,id=c,fd=3,server=on,wait=off"));
    arguments.addAll(List.of("-mon", "chardev=c,mode=control"));
    arguments.addAll(List.of(more));
    return spawn(dir, "qemu-system-x86_64", arguments);
  }

  static RealQemu startStorageDaemon(Path dir) throws IOException {
    return spawn(
        dir,
        "qemu-storage-daemon",
        List.of("--chardev", "socket,id=c,fd=3,server=on,wait=off", "--monitor", "c"));
  }

  private static RealQemu spawn(Path dir, String program, List<String> arguments)
      throws IOException {
    Path socket = dir.resolve("qmp-of-" + program);
    Set<OpenFlag> flags = Set.of(OpenFlag.WRITE, OpenFlag.CREATE);
    Spawner spawner = Spawner.open(SYS, "qemu-test");
    try (Fd listening = UnixSocket.listen(SYS, socket, 8);
        Fd output = Fd.open(SYS, dir.resolve("output"), flags)) {
      ChildProcess process =
          spawner.spawn(
              SpawnRequest.of(onPath(program), arguments)
                  .descriptor(3, listening)
                  .stdout(output)
                  .stderr(output)
                  .build());
      return new RealQemu(spawner, process, socket);
    } catch (RuntimeException e) {
      spawner.close();
      throw e;
    }
  }

  private static Path onPath(String program) throws IOException {
    for (String directory : String.valueOf(System.getenv("PATH")).split(":", -1)) {
      Path candidate = Path.of(directory, program);
      if (Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    throw new IOException(program + " is not on the PATH");
  }

  Path socket() {
    return socket;
  }

  void signal(Signal signal) {
    process.signal(signal);
  }

  boolean ends() throws InterruptedException {
    return process.awaitExit(Duration.ofSeconds(30)).isPresent();
  }

  @Override
  public void close() throws InterruptedException {
    try (spawner) {
      process.signal(Signal.KILL);
      assertTrue(ends(), "it does not end");
    }
  }
}
