package dev.stapes.benchmarks.qmp;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A QEMU without a machine, that is stopped and has some monitors. */
final class Qemu implements AutoCloseable {
  private static final Syscalls SYS = Syscalls.system();
  private static final int FIRST_DESCRIPTOR = 3;
  private static final List<String> ARGUMENTS =
      List.of(
          "-machine",
          "none",
          "-nodefaults",
          "-no-user-config",
          "-display",
          "none",
          "-accel",
          "tcg",
          "-S");

  private final ChildProcess process;
  private final List<Path> monitors;

  private Qemu(ChildProcess process, List<Path> monitors) {
    this.process = process;
    this.monitors = monitors;
  }

  /**
   * Starts one. Its monitors can be connected to at once: they are listened on before it runs.
   *
   * @param directory of its own
   */
  static Qemu start(Spawner spawner, Path program, Path directory, int monitors)
      throws IOException {
    List<Path> sockets = new ArrayList<>();
    List<Fd> open = new ArrayList<>();
    List<String> arguments = new ArrayList<>(ARGUMENTS);
    try (Fd output =
        Fd.open(SYS, directory.resolve("output"), Set.of(OpenFlag.WRITE, OpenFlag.CREATE))) {
      for (int i = 0; i < monitors; i++) {
        Path socket = directory.resolve("qmp" + i);
        open.add(UnixSocket.listen(SYS, socket, 1));
        sockets.add(socket);
        int fd = FIRST_DESCRIPTOR + i;
        arguments.addAll(
            List.of(
                "-chardev",
                "socket,id=m" + i + ",fd=" + fd + ",server=on,wait=off",
                "-mon",
                "chardev=m" + i + ",mode=control"));
      }
      SpawnRequest.Builder request = SpawnRequest.of(program, arguments);
      for (int i = 0; i < monitors; i++) {
        request.descriptor(FIRST_DESCRIPTOR + i, open.get(i));
      }
      return new Qemu(spawner.spawn(request.stdout(output).stderr(output).build()), sockets);
    } finally {
      open.forEach(Fd::close);
    }
  }

  Path monitor(int number) {
    return monitors.get(number);
  }

  @Override
  public void close() throws InterruptedException {
    process.signal(Signal.KILL);
    process.awaitExit();
  }
}
