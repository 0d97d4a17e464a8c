package dev.stapes.benchmarks.qmp;

import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A socket that blocks, over which bytes go that are known beforehand and none is looked at: what
 * the kernel and QEMU take by themselves.
 */
final class BareSocket implements RoundTrips {
  private static final byte[] CAPABILITIES = bytes("{\"execute\":\"qmp_capabilities\"}\n");
  private static final byte[] QUERY = bytes("{\"execute\":\"query-status\"}\n");

  private final SocketChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);

  private BareSocket(SocketChannel channel) {
    this.channel = channel;
  }

  /** Connects, and takes the greeting. */
  static BareSocket connect(Path monitor) throws IOException {
    BareSocket socket = new BareSocket(SocketChannel.open(UnixDomainSocketAddress.of(monitor)));
    socket.readLine();
    socket.exchange(CAPABILITIES);
    return socket;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void exchange(byte[] command) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(command);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    readLine();
  }

  /** Nobody says more than was asked for: a line is at the end of what is read. */
  private void readLine() throws IOException {
    buffer.clear();
    do {
      if (channel.read(buffer) < 0) {
        throw new EOFException("QEMU closed the connection");
      }
    } while (buffer.get(buffer.position() - 1) != '\n');
  }

  @Override
  public long ask(int count) throws IOException {
    long begun = System.nanoTime();
    for (int i = 0; i < count; i++) {
      exchange(QUERY);
    }
    return System.nanoTime() - begun;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
