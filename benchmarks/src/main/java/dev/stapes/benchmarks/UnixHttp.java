package dev.stapes.benchmarks;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * One kept-alive HTTP/1.1 connection over a Unix socket, for one thread: as much of RFC 9112 as a
 * JSON API needs. The JDK's client cannot speak over such sockets.
 */
final class UnixHttp implements AutoCloseable {
  private static final int LONGEST_LINE = 16_384;

  private final SocketChannel channel;
  private final InputStream in;
  private final OutputStream out;

  private UnixHttp(SocketChannel channel) {
    this.channel = channel;
    this.in = new BufferedInputStream(Channels.newInputStream(channel));
    this.out = Channels.newOutputStream(channel);
  }

  /** Connects. */
  static UnixHttp connect(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return new UnixHttp(channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Sends a request and reads the answer.
   *
   * @param json the body; empty for none
   * @return the body of the answer, whatever its status
   */
  byte[] request(String method, String target, byte[] json) throws IOException {
    String head =
        method
            + " "
            + target
            + " HTTP/1.1\r\nHost: unix\r\nContent-Type: application/json\r\nContent-Length: "
            + json.length
            + "\r\n\r\n";
    byte[] start = head.getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[start.length + json.length];
    System.arraycopy(start, 0, all, 0, start.length);
    System.arraycopy(json, 0, all, start.length, json.length);
    out.write(all);
    out.flush();
    return answer(in);
  }

  /** Reads an answer. */
  static byte[] answer(InputStream in) throws IOException {
    String status = line(in);
    if (!status.startsWith("HTTP/1.1 ")) {
      throw new IOException("not an answer of HTTP/1.1: \"" + status + "\"");
    }
    long length = 0;
    boolean chunked = false;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      int colon = header.indexOf(':');
      String name = header.substring(0, Math.max(colon, 0)).toLowerCase(Locale.ROOT);
      String value = header.substring(colon + 1).strip();
      if (name.equals("content-length")) {
        length = Long.parseLong(value);
      } else if (name.equals("transfer-encoding")) {
        chunked = value.equalsIgnoreCase("chunked");
      }
    }
    return chunked ? chunks(in) : exactly(in, Math.toIntExact(length));
  }

  private static byte[] chunks(InputStream in) throws IOException {
    java.io.ByteArrayOutputStream body = new java.io.ByteArrayOutputStream();
    while (true) {
      String size = line(in);
      int extension = size.indexOf(';');
      int bytes = Integer.parseInt(extension < 0 ? size : size.substring(0, extension), 16);
      if (bytes == 0) {
        while (!line(in).isEmpty()) {
          // trailers
        }
        return body.toByteArray();
      }
      body.write(exactly(in, bytes));
      line(in);
    }
  }

  private static byte[] exactly(InputStream in, int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("the answer ends after " + bytes.length + " of " + length + " bytes");
    }
    return bytes;
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("the connection ends within \"" + line + "\"");
      } else if (next == '\n') {
        return line.toString();
      } else if (next != '\r') {
        line.append((char) next);
      }
      if (line.length() > LONGEST_LINE) {
        throw new IOException("a line of more than " + LONGEST_LINE + " characters");
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
