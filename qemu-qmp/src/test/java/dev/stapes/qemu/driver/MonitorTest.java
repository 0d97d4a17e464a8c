package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.qmp.qemu.Stop;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sockets of a machine, with the test on the other side. */
class MonitorTest {
  private static final Syscalls SYS = Syscalls.system();
  private static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7},"
          + " \"package\": \"\"}, \"capabilities\": []}}\n";

  @TempDir Path directory;
  private ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
  private final QmpLoop loop = QmpLoop.open(SYS, MonitorTest::thread);

  MonitorTest() throws IOException {}

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  private Path socket() {
    return directory.resolve("socket");
  }

  @BeforeEach
  void listen() throws IOException {
    server.bind(UnixDomainSocketAddress.of(socket()));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
    loop.close();
  }

  private static void write(SocketChannel channel, String text) throws IOException {
    channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Greets, and answers what the client begins with. */
  private void greet(SocketChannel channel) throws IOException {
    write(channel, GREETING);
    channel.read(ByteBuffer.allocate(1000));
    write(channel, "{\"return\": {}, \"id\": 1}\n"); // the first command has a number
  }

  private Monitor monitor(Duration patience) throws InterruptedException {
    QmpOptions options = QmpOptions.defaults().commandTimeout(patience);
    return new Monitor(
        "instance vm", QmpClient.connect(loop, socket(), QmpDialect.monitor(), options));
  }

  private interface Talk {
    void run(SocketChannel channel) throws IOException;
  }

  /** What is said of a command, when the other side does something once it has greeted. */
  private StapesException failure(Duration patience, Talk then) throws Exception {
    Thread peer =
        thread(
            () -> {
              try (SocketChannel channel = server.accept()) {
                greet(channel);
                channel.read(ByteBuffer.allocate(1000));
                then.run(channel);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    peer.start();
    try (Monitor monitor = monitor(patience)) {
      return assertThrows(StapesException.class, () -> monitor.execute(Stop.of()));
    } finally {
      peer.join();
    }
  }

  @Test
  void an_emulator_that_hangs_is_too_late_for_its_instance() throws Exception {
    StapesException e =
        failure(Duration.ofMillis(100), channel -> channel.read(ByteBuffer.allocate(1)));
    assertEquals(Kind.TIMED_OUT, e.kind());
    assertEquals("instance vm: stop: no answer of QEMU", e.getMessage());
  }

  @Test
  void an_emulator_that_has_ended_is_unavailable() throws Exception {
    StapesException e = failure(Duration.ofSeconds(30), SocketChannel::close);
    assertEquals(Kind.UNAVAILABLE, e.kind());
    assertEquals("instance vm: stop: its emulator is gone", e.getMessage());
  }

  @Test
  void a_console_is_taken_by_one_at_a_time() throws Exception {
    try (SerialConsole serial = new SerialConsole(SYS, "instance vm", socket())) {
      Machine.Console first = serial.open();
      Specs.refused(Kind.BUSY, "instance vm: its console is in use", serial::open);
      first.close();
      first.close();
      Machine.Console second = serial.open();
      server.accept().close();
      try (SocketChannel other = server.accept()) {
        second.input().write('x');
        second.input().flush();
        ByteBuffer in = ByteBuffer.allocate(10);
        other.read(in);
        assertEquals('x', in.get(0));
        write(other, "y");
        assertEquals('y', second.output().read());
      }
      assertEquals(-1, second.output().read());
    }
    try (SerialConsole serial = new SerialConsole(SYS, "instance vm", socket())) {
      serial.open().close();
    }
  }

  @Test
  void a_console_that_nobody_serves_is_unavailable() throws IOException {
    try (SerialConsole serial =
        new SerialConsole(SYS, "instance vm", directory.resolve("missing"))) {
      Specs.refused(Kind.UNAVAILABLE, "instance vm", serial::open);
      Specs.refused(Kind.UNAVAILABLE, "instance vm", serial::open);
    }
  }
}
