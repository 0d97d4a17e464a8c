package dev.stapes.testkit.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Function;

/** A server on loopback: one request for each connection, and what is not there is not found. */
final class FileServer implements AutoCloseable {
  private final ServerSocket socket;
  private final Function<String, Optional<byte[]>> files;

  /** Serves what a path such as {@code /a} leads to. */
  FileServer(Function<String, Optional<byte[]>> files) {
    this.files = files;
    try {
      this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread thread = new Thread(this::serve, "file-server");
    thread.setDaemon(true);
    thread.start();
  }

  String address(String path) {
    return "http://127.0.0.1:" + socket.getLocalPort() + path;
  }

  private void serve() {
    while (!socket.isClosed()) {
      try (Socket connection = socket.accept()) {
        answer(connection);
      } catch (IOException e) {
        // The client went, or this was closed.
      }
    }
  }

  private void answer(Socket connection) throws IOException {
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII));
    String request = in.readLine();
    for (String line = request; line != null && !line.isEmpty(); line = in.readLine()) {
      // Headers say nothing that matters here.
    }
    if (request == null) {
      return;
    }
    String[] words = request.split(" ", 3);
    Optional<byte[]> file = files.apply(words[1]);
    byte[] body = file.orElse(new byte[0]);
    OutputStream out = connection.getOutputStream();
    String status = file.isPresent() ? "200 OK" : "404 Not Found";
    String head =
        "HTTP/1.1 "
            + status
            + "\r\nContent-Length: "
            + body.length
            + "\r\nConnection: close\r\n\r\n";
    out.write(head.getBytes(StandardCharsets.US_ASCII));
    if (!words[0].equals("HEAD")) {
      out.write(body);
    }
    out.flush();
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
