package dev.stapes.examples.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A docker-registry(1) on loopback with a directory of its own, and images for it. */
public final class Registry implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of the password {@code s3cret}. */
  private static final String LOGIN =
      "me:$2y$05$iDkYrjBArD9Pfv9Dy1RrLeJdV6BQeq30QgVqXV8S36Zpf6W9pu28i\n";

  private final Path directory;
  private static final int ATTEMPTS = 5;

  private final Process server;
  private final String name;

  /**
   * Starts it and waits until it answers.
   *
   * @param login whether it wants to know who asks: {@code me}, {@code s3cret}
   */
  public Registry(Path directory, boolean login) throws IOException, InterruptedException {
    this.directory = Files.createDirectories(directory);
    Process started = null;
    int port = 0;
    for (int i = 0; started == null && i < ATTEMPTS; i++) {
      port = freePort();
      started = start(port, login); // somebody else may have taken it meanwhile
    }
    if (started == null) {
      throw new IOException("it has ended: " + Files.readString(directory.resolve("log")));
    }
    this.name = name(port);
    this.server = started;
  }

  private static String name(int port) {
    return "127.0.0.1:" + port;
  }

  /** Nothing where it has ended instead of answering. */
  private @Nullable Process start(int port, boolean login)
      throws IOException, InterruptedException {
    String auth = "";
    if (login) {
      Path file = Files.writeString(directory.resolve("htpasswd"), LOGIN);
      auth = "auth:\n  htpasswd:\n    realm: test\n    path: " + file + "\n";
    }
    Path config =
        Files.writeString(
            directory.resolve("config.yml"),
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: "
                + directory.resolve("data")
                + "\nhttp:\n  addr: "
                + name(port)
                + "\n"
                + auth);
    Process starting =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    while (!answers(port)) {
      if (starting.waitFor(20, TimeUnit.MILLISECONDS)) {
        return null;
      }
    }
    return starting.isAlive() ? starting : null;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Host and port. */
  public String name() {
    return name;
  }

  /**
   * Pushes an image as {@code skopeo} does it.
   *
   * @param layout a directory that {@link #layout} has made
   */
  public void push(Path layout, String image, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("skopeo", "--insecure-policy", "copy", "-q"));
    command.addAll(List.of(options));
    command.add("--dest-tls-verify=false");
    command.add("oci:" + layout + ":it");
    command.add("docker://" + name + "/" + image);
    run(command.toArray(new String[0]));
  }

  /** Runs a program to its end. */
  public static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
  }

  /**
   * Makes an OCI image layout.
   *
   * @param config of the image, its member {@code config}
   * @param layers directories, from the lowest on
   */
  public Path layout(String tag, Map<String, Object> config, Path... layers)
      throws IOException, InterruptedException {
    Path layout = Files.createDirectories(directory.resolve(tag));
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    List<Object> descriptors = new ArrayList<>();
    List<String> diffs = new ArrayList<>();
    for (Path layer : layers) {
      Path tar = directory.resolve("layer.tar");
      run(
          "tar",
          "-C",
          layer.toString(),
          "--numeric-owner",
          "--owner=0",
          "--group=0",
          "--sort=name",
          "--mtime=@1700000000",
          "--format=gnu",
          "-cf",
          tar.toString(),
          ".");
      byte[] content = Files.readAllBytes(tar);
      diffs.add("sha256:" + sha256(content));
      descriptors.add(blob(blobs, content, "application/vnd.oci.image.layer.v1.tar"));
    }
    Map<String, Object> document =
        Map.of(
            "architecture",
            "amd64",
            "os",
            "linux",
            "config",
            config,
            "rootfs",
            Map.of("type", "layers", "diff_ids", diffs));
    Map<String, Object> manifest = new TreeMap<>();
    manifest.put("schemaVersion", 2);
    manifest.put(
        "config",
        blob(blobs, JSON.writeValueAsBytes(document), "application/vnd.oci.image.config.v1+json"));
    manifest.put("layers", descriptors);
    Map<String, Object> descriptor =
        blob(blobs, JSON.writeValueAsBytes(manifest), "application/vnd.oci.image.manifest.v1+json");
    descriptor.put("annotations", Map.of("org.opencontainers.image.ref.name", "it"));
    Files.write(
        layout.resolve("index.json"),
        JSON.writeValueAsBytes(Map.of("schemaVersion", 2, "manifests", List.of(descriptor))));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    return layout;
  }

  private static Map<String, Object> blob(Path blobs, byte[] content, String type)
      throws IOException {
    String digest = sha256(content);
    Files.write(blobs.resolve(digest), content);
    return new TreeMap<>(
        Map.of("mediaType", type, "digest", "sha256:" + digest, "size", content.length));
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.destroy();
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
