package dev.stapes.internal.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.internal.http.LoopbackServer;
import dev.stapes.internal.http.LoopbackServer.Request;
import dev.stapes.internal.http.LoopbackServer.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** A registry on loopback that answers as it is told, and remembers what it was asked for. */
final class FakeRegistry implements AutoCloseable {
  static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String INDEX = "application/vnd.oci.image.index.v1+json";
  static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  static final String LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

  private static final ObjectMapper JSON = new ObjectMapper();

  final Map<String, byte[]> documents = new ConcurrentHashMap<>();
  private final Map<String, Fault> faults = new ConcurrentHashMap<>();
  private final LoopbackServer server = new LoopbackServer(this::answer);

  /** Answers in place of the registry; false: the registry answers. */
  interface Fault {
    boolean answer(Request request, Response response) throws IOException, InterruptedException;
  }

  /** Host and port. */
  String name() {
    return server.uri("/").getAuthority();
  }

  /** What is at a path. */
  byte[] document(String path) {
    return Objects.requireNonNull(documents.get(path), path);
  }

  /** For all paths that start so. */
  void fault(String path, Fault fault) {
    faults.put(path, fault);
  }

  /** How often a path was asked for. */
  long asked(String path) {
    return server.requests().stream().filter(each -> path(each).equals(path)).count();
  }

  private static String path(Request request) {
    return request.path().replaceFirst("\\?.*", "");
  }

  private void answer(Request request, Response response) throws IOException, InterruptedException {
    String path = path(request);
    for (Map.Entry<String, Fault> fault : faults.entrySet()) {
      if (path.startsWith(fault.getKey()) && fault.getValue().answer(request, response)) {
        return;
      }
    }
    byte[] document = documents.get(path);
    if (document == null) {
      response.send(404, "");
    } else {
      response.file(document, null);
    }
  }

  static String digest(byte[] content) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  static byte[] json(Object document) {
    try {
      return JSON.writeValueAsBytes(document);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static Map<String, Object> descriptor(String mediaType, byte[] content) {
    return new TreeMap<>(
        Map.of("mediaType", mediaType, "digest", digest(content), "size", content.length));
  }

  /** A layer with files. */
  static byte[] layer(Map<String, String> files) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
      for (Map.Entry<String, String> file : new TreeMap<>(files).entrySet()) {
        byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
        TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  static Map<String, Object> config(String architecture) {
    return new TreeMap<>(
        Map.of(
            "os",
            "linux",
            "architecture",
            architecture,
            "created",
            "2024-05-06T07:08:09.123Z",
            "config",
            Map.of(
                "Entrypoint",
                List.of("/bin/sh", "-c"),
                "Cmd",
                List.of("echo it's"),
                "Env",
                List.of("PATH=/bin", "EMPTY=", "A=b=c"),
                "WorkingDir",
                "/srv",
                "User",
                "nobody:daemon",
                "ExposedPorts",
                Map.of("80/tcp", Map.of()),
                "Labels",
                Map.of("org.opencontainers.image.title", "a test", "other", "no"))));
  }

  /** Puts an image, and answers its manifest. */
  byte[] put(String repository, String tag, Map<String, Object> config, byte[]... layers) {
    byte[] document = json(config);
    List<Object> descriptors = new ArrayList<>();
    for (byte[] layer : layers) {
      blob(repository, layer);
      descriptors.add(descriptor(LAYER, layer));
    }
    blob(repository, document);
    byte[] manifest =
        json(
            Map.of(
                "schemaVersion",
                2,
                "mediaType",
                MANIFEST,
                "config",
                descriptor(CONFIG, document),
                "layers",
                descriptors));
    manifest(repository, tag, manifest);
    return manifest;
  }

  void blob(String repository, byte[] content) {
    documents.put("/v2/" + repository + "/blobs/" + digest(content), content);
  }

  void manifest(String repository, String tag, byte[] manifest) {
    documents.put("/v2/" + repository + "/manifests/" + tag, manifest);
    documents.put("/v2/" + repository + "/manifests/" + digest(manifest), manifest);
  }

  @Override
  public void close() {
    server.close();
  }
}
