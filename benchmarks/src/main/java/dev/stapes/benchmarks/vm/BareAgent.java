package dev.stapes.benchmarks.vm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** The agent of a guest, spoken to as a shell script would, but without its programs. */
final class BareAgent implements AutoCloseable {
  private static final long LIMIT = Duration.ofMinutes(2).toNanos();
  private static final long CONNECTING = Duration.ofMillis(5).toNanos();
  private static final long ASKING = Duration.ofMillis(2).toNanos();
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SocketChannel channel;
  private final Selector selector;
  private final long deadline;
  private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);

  private BareAgent(SocketChannel channel, long deadline) throws IOException {
    this.channel = channel;
    this.deadline = deadline;
    this.selector = Selector.open();
    channel.configureBlocking(false);
    channel.register(selector, SelectionKey.OP_READ);
  }

  /** Connects to the socket that QEMU is about to make. */
  static BareAgent connect(Path socket) throws IOException {
    long deadline = System.nanoTime() + LIMIT;
    while (true) {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
        return new BareAgent(channel, deadline);
      } catch (IOException e) {
        channel.close();
        if (System.nanoTime() > deadline) {
          throw e;
        }
        LockSupport.parkNanos(CONNECTING);
      }
    }
  }

  /** Waits for the agent: what was said before it runs waits in QEMU's socket. */
  void ping() throws IOException {
    ask("{\"execute\":\"guest-ping\"}");
  }

  /** Runs a program to its end. */
  void execute(String program) throws IOException {
    String start = "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"" + program + "\"}}";
    long pid = ask(start).path("pid").asLong();
    String status = "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":" + pid + "}}";
    for (JsonNode said = ask(status); !said.path("exited").asBoolean(); said = ask(status)) {
      LockSupport.parkNanos(ASKING);
    }
  }

  private JsonNode ask(String command) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    buffer.clear();
    while (buffer.position() == 0 || buffer.get(buffer.position() - 1) != '\n') {
      long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
      if (left <= 0 || Thread.currentThread().isInterrupted()) {
        throw new IOException("the agent does not answer");
      }
      selector.select(left);
      selector.selectedKeys().clear();
      if (channel.read(buffer) < 0) {
        throw new EOFException("QEMU closed the connection to the agent");
      }
    }
    JsonNode answer = JSON.readTree(buffer.array(), 0, buffer.position());
    if (!answer.has("return")) {
      throw new IOException(command + ": " + answer);
    }
    return answer.path("return");
  }

  @Override
  public void close() throws IOException {
    selector.close();
    channel.close();
  }
}
