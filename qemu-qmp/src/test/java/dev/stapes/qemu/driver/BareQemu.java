package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpConnectException;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A QEMU whose processors never go, started without the driver. */
final class BareQemu implements AutoCloseable {
  static final Syscalls SYS = Syscalls.system();
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final QmpLoop loop = QmpLoop.open(SYS, BareQemu::thread);
  private final Process process;
  private final Path directory;
  private final Monitor monitor;

  private BareQemu(Path directory, String program, List<String> arguments)
      throws IOException, InterruptedException, QmpException {
    this.directory = directory;
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(arguments);
    process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("output").toFile())
            .start();
    monitor = new Monitor("qemu", connect());
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  /** With all arguments, of which one is a monitor at {@code qmp}. */
  static BareQemu start(Path directory, String program, List<String> arguments)
      throws IOException, InterruptedException, QmpException {
    return new BareQemu(directory, program, arguments);
  }

  /** With a board, without all else, and with these arguments. */
  static BareQemu board(Path directory, String program, String... more)
      throws IOException, InterruptedException, QmpException {
    List<String> arguments =
        new ArrayList<>(List.of("-M", "q35", "-S", "-nodefaults", "-display", "none"));
    arguments.addAll(List.of("-accel", "tcg", "-qmp", "unix:qmp,server=on,wait=off"));
    arguments.addAll(List.of(more));
    return start(directory, program, arguments);
  }

  private QmpClient connect() throws IOException, InterruptedException, QmpException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (true) {
      try {
        return QmpClient.connect(
            loop,
            directory.resolve("qmp"),
            Monitor.DIALECT,
            QmpOptions.defaults().connectTimeout(Duration.ofSeconds(50)));
      } catch (QmpConnectException e) {
        assertTrue(process.isAlive() && System.nanoTime() < deadline, output());
        Thread.onSpinWait();
      }
    }
  }

  /** What it complained of. */
  String output() throws IOException {
    return Files.readString(directory.resolve("output"));
  }

  long pid() {
    return process.pid();
  }

  Monitor monitor() {
    return monitor;
  }

  @Override
  public void close() throws InterruptedException {
    monitor.close();
    process.destroyForcibly().waitFor();
    loop.close();
  }
}
