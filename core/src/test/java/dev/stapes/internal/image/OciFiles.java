package dev.stapes.internal.image;

import dev.stapes.spi.Tree;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** OCI image layouts, and what docker save writes, made by hand: files by name. */
final class OciFiles {
  static final String NAME = "org.opencontainers.image.ref.name";

  final Map<String, byte[]> files = new LinkedHashMap<>();
  final Map<String, String> links = new LinkedHashMap<>();
  private final List<Object> listed = new ArrayList<>();

  /** A layout without images. */
  static OciFiles layout() {
    OciFiles layout = new OciFiles();
    layout.put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    layout.list();
    return layout;
  }

  OciFiles put(String name, String text) {
    files.put(name, text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Writes the index anew. */
  private void list() {
    files.put("index.json", FakeRegistry.json(Map.of("schemaVersion", 2, "manifests", listed)));
  }

  static String blob(byte[] content) {
    return "blobs/" + FakeRegistry.digest(content).replace(':', '/');
  }

  byte[] addBlob(byte[] content) {
    files.put(blob(content), content);
    return content;
  }

  /** Adds the parts of an image, and answers its manifest. */
  byte[] addParts(Map<String, Object> config, byte[]... layers) {
    List<Object> descriptors = new ArrayList<>();
    for (byte[] layer : layers) {
      descriptors.add(FakeRegistry.descriptor(FakeRegistry.LAYER, addBlob(layer)));
    }
    byte[] document = addBlob(FakeRegistry.json(config));
    return addBlob(
        FakeRegistry.json(
            Map.of(
                "schemaVersion",
                2,
                "config",
                FakeRegistry.descriptor(FakeRegistry.CONFIG, document),
                "layers",
                descriptors)));
  }

  /** Lists a manifest or an index. */
  OciFiles list(byte[] manifest, Map<String, Object> members) {
    Map<String, Object> descriptor = FakeRegistry.descriptor(FakeRegistry.MANIFEST, manifest);
    descriptor.putAll(members);
    listed.add(descriptor);
    list();
    return this;
  }

  /** Adds an image, and answers its manifest. */
  byte[] image(String name, byte[]... layers) {
    byte[] manifest = addParts(FakeRegistry.config("amd64"), layers);
    list(manifest, Map.of("annotations", Map.of(NAME, name)));
    return manifest;
  }

  static Map<String, Object> platform(String architecture) {
    return Map.of("platform", Map.of("os", "linux", "architecture", architecture));
  }

  static byte[] plain(byte[] gzip) throws IOException {
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(gzip))) {
      return in.readAllBytes();
    }
  }

  /**
   * An image as Docker saved it.
   *
   * @param layers names of files that are there or will be
   * @param plain what they hold, not compressed
   */
  static Map<String, Object> saved(
      OciFiles into, String tag, List<String> layers, byte[]... plain) {
    List<String> diffs = new ArrayList<>();
    for (byte[] each : plain) {
      diffs.add(FakeRegistry.digest(each));
    }
    Map<String, Object> config = FakeRegistry.config("amd64");
    config.put("rootfs", Map.of("type", "layers", "diff_ids", diffs));
    byte[] document = FakeRegistry.json(config);
    String name = FakeRegistry.digest(document).substring(7) + ".json";
    into.files.put(name, document);
    return new TreeMap<>(Map.of("Config", name, "RepoTags", List.of(tag), "Layers", layers));
  }

  OciFiles savedList(List<Map<String, Object>> images) {
    files.put("manifest.json", FakeRegistry.json(images));
    return this;
  }

  /** Writes a plain archive. */
  Path archive(Path target) throws IOException {
    Files.write(target, archive());
    return target;
  }

  Path gzip(Path target) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(target))) {
      out.write(archive());
    }
    return target;
  }

  byte[] archive() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(bytes);
    for (Map.Entry<String, String> link : links.entrySet()) {
      tar.add(TarEntry.symlink(link.getKey(), link.getValue(), Instant.EPOCH));
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      byte[] content = file.getValue();
      tar.add(TarEntry.file(file.getKey(), 0644, content.length, Instant.EPOCH), content);
    }
    tar.finish();
    return bytes.toByteArray();
  }

  /** Makes a directory that the host shows a tree for. */
  Path directory(Path target, FakeHost host) throws IOException {
    Files.createDirectories(target);
    MemoryTree tree = new MemoryTree();
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      parents(tree, file.getKey());
      try (OutputStream out = tree.create(file.getKey(), 0644)) {
        out.write(file.getValue());
      }
    }
    for (Map.Entry<String, String> link : links.entrySet()) {
      parents(tree, link.getKey());
      tree.symlink(link.getValue(), link.getKey());
    }
    host.trees.put(target.toAbsolutePath(), tree);
    return target;
  }

  private static void parents(Tree tree, String name) {
    for (int slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
      if (tree.stat(name.substring(0, slash)).isEmpty()) {
        tree.mkdir(name.substring(0, slash), 0755);
      }
    }
  }
}
