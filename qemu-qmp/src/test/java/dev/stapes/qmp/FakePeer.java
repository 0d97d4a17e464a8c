package dev.stapes.qmp;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The other side of one connection, over a real socket, which does what a test says. */
final class FakePeer implements AutoCloseable {
  static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3, \"minor\": 2, \"major\": 9},"
          + " \"package\": \"fake\"}, \"capabilities\": [\"oob\"]}}\r\n";

  private final ServerSocketChannel server;
  private final Path path;
  private final CompletableFuture<Void> done;
  private final ByteBuffer in = ByteBuffer.allocate(1 << 16).limit(0);
  private volatile @Nullable SocketChannel channel;

  /** What it does, on a thread of its own; when it is over, the connection is closed. */
  interface Script {
    void run(FakePeer peer) throws Exception;
  }

  private FakePeer(ServerSocketChannel server, Path path, Script script) {
    this.server = server;
    this.path = path;
    this.done =
        CompletableFuture.runAsync(
            () -> serve(script),
            task -> {
              Thread thread = Executors.defaultThreadFactory().newThread(task);
              thread.setDaemon(true);
              thread.start();
            });
  }

  static FakePeer start(Path dir, Script script) throws IOException {
    Path path = Files.createTempFile(dir, "peer", "");
    Files.delete(path);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path));
    return new FakePeer(server, path, script);
  }

  /** One that greets and takes the capabilities first. */
  static FakePeer monitor(Path dir, Script script) throws IOException {
    return start(
        dir,
        peer -> {
          peer.write(GREETING);
          peer.answer("{}");
          script.run(peer);
        });
  }

  private void serve(Script script) {
    try (SocketChannel accepted = server.accept()) {
      channel = accepted;
      script.run(this);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  Path path() {
    return path;
  }

  void write(String text) throws IOException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  void write(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel().write(buffer);
    }
  }

  private SocketChannel channel() {
    return Objects.requireNonNull(channel);
  }

  /** The next byte; -1 when the client has closed. */
  int read() throws IOException {
    if (!in.hasRemaining()) {
      in.clear();
      int count = channel().read(in);
      in.flip();
      if (count < 0) {
        return -1;
      }
    }
    return in.get() & 0xFF;
  }

  /** The next line, as Latin-1; what was read when the client closes. */
  String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = read(); c >= 0 && c != '\n'; c = read()) {
      line.append((char) c);
    }
    return line.toString();
  }

  /** Reads until the client closes. */
  void untilClosed() throws IOException {
    int c;
    do {
      c = read();
    } while (c >= 0);
  }

  /** The member of an answer that says to which command it is; nothing where that has none. */
  static String idOf(String line) {
    int at = line.lastIndexOf(",\"id\":");
    return at < 0 ? "" : line.substring(at, line.length() - 1);
  }

  /** Reads a command and answers it; returns what it read. */
  String answer(String returned) throws IOException {
    String line = readLine();
    write("{\"return\": " + returned + idOf(line) + "}\r\n");
    return line;
  }

  /** Throws what went wrong in the script. */
  void join() throws InterruptedException, TimeoutException {
    try {
      done.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("the peer failed", e.getCause());
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    SocketChannel current = channel;
    if (current != null) {
      current.close();
    }
    Files.deleteIfExists(path);
  }
}
