package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A docker-registry(1) on loopback. */
final class Registry implements AutoCloseable {
  private static final int CONNECT_MILLIS = 1_000;
  private static final int POLL_MILLIS = 20;

  private final String address;
  private final Process server;

  private Registry(String address, Process server) {
    this.address = address;
    this.server = server;
  }

  /**
   * Starts it and waits until it answers.
   *
   * @param directory for all that it keeps; does not exist
   */
  static Registry start(Path directory) throws IOException, InterruptedException {
    Files.createDirectory(directory);
    int port = freePort();
    String address = "127.0.0.1:" + port;
    Path config =
        Files.writeString(
            directory.resolve("config.yml"),
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: "
                + directory.resolve("data")
                + "\nhttp:\n  addr: "
                + address
                + "\n");
    Path log = directory.resolve("log");
    Process server = new Tool("docker-registry").start(log, "serve", config.toString());
    Registry registry = new Registry(address, server);
    try {
      while (!answers(port)) {
        if (server.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
          throw new IOException("docker-registry has ended: " + Files.readString(log));
        }
      }
      return registry;
    } catch (IOException | InterruptedException e) {
      registry.close();
      throw e;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
      return true;
    } catch (IOException e) {
      return false; // not there yet
    }
  }

  /** What an image is called there. */
  String reference(String image) {
    return address + "/" + image;
  }

  /** Pushes an image of a layout. */
  void push(Path layout, String tag, String image) throws IOException, InterruptedException {
    new Tool("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false")
        .run("oci:" + layout + ":" + tag, "docker://" + reference(image));
  }

  /** Ends it. */
  @Override
  public void close() {
    server.destroyForcibly();
    boolean interrupted = false;
    while (server.isAlive()) {
      try {
        server.waitFor();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
