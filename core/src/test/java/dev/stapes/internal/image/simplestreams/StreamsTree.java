package dev.stapes.internal.image.simplestreams;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.internal.http.LoopbackServer;
import dev.stapes.internal.image.SmallImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The files of a server of images. */
final class StreamsTree {
  static final String PRODUCTS = "streams/v1/images.json";
  static final String NEWEST = "20260102_03:04";
  static final byte[] METADATA = SmallImage.metadata();
  static final byte[] SQUASHFS = SmallImage.rootfs(80_000);
  static final byte[] ROOT = SmallImage.rootfs(70_000);
  static final byte[] UNIFIED = SmallImage.unified();

  private static final ObjectMapper JSON = new ObjectMapper();

  final ObjectNode index = JSON.createObjectNode();
  final ObjectNode document = JSON.createObjectNode();
  final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final ObjectNode products;

  /** One product with a version in all forms. */
  StreamsTree() {
    index.put("format", "index:1.0");
    ObjectNode entries = index.putObject("index");
    entries.putObject("images").put("datatype", "image-downloads").put("path", PRODUCTS);
    entries.withObject("/images").putArray("products").add("some");
    entries.putObject("other").put("datatype", "content").put("path", "elsewhere.json");
    document.put("format", "products:1.0").put("datatype", "image-downloads");
    products = document.putObject("products");
    ObjectNode product = product("debian:trixie:amd64:default", "debian/13,debian/trixie", "amd64");
    all(version(product, NEWEST));
  }

  /** One more product, without versions. */
  ObjectNode product(String name, String aliases, String architecture) {
    ObjectNode product = products.putObject(name);
    product.put("aliases", aliases).put("os", "Debian").put("release", "trixie");
    product.put("release_title", "Trixie").put("arch", architecture).put("variant", "default");
    product.putObject("requirements").put("secureboot", "false");
    product.putObject("versions");
    return product;
  }

  ObjectNode product(String name) {
    return (ObjectNode) products.get(name);
  }

  /** The files of a version, none yet. */
  static ObjectNode version(ObjectNode product, String serial) {
    return ((ObjectNode) product.get("versions")).putObject(serial).putObject("items");
  }

  /** All forms of a container image. */
  void all(ObjectNode items) {
    split(items);
    item(items, "incus_combined.tar.gz", UNIFIED);
  }

  /** The forms with two files, and a delta, which is for somebody else. */
  void split(ObjectNode items) {
    ObjectNode metadata = item(items, "incus.tar.xz", METADATA);
    metadata.put("combined_squashfs_sha256", SmallImage.sha256(METADATA, SQUASHFS));
    metadata.put("combined_rootxz_sha256", SmallImage.sha256(METADATA, ROOT));
    item(items, "squashfs", SQUASHFS);
    item(items, "root.tar.xz", ROOT);
    item(items, "squashfs.vcdiff", new byte[1]).put("delta_base", "20251201_03:04");
  }

  /** A file. */
  ObjectNode item(ObjectNode items, String type, byte[] content) {
    String path = "images/some:1/" + type;
    files.put(path, content);
    return items
        .putObject(type)
        .put("ftype", type)
        .put("path", path)
        .put("sha256", SmallImage.sha256(content))
        .put("size", content.length);
  }

  byte[] indexBytes() {
    return bytes(index);
  }

  byte[] documentBytes() {
    return bytes(document);
  }

  private static byte[] bytes(ObjectNode node) {
    try {
      return JSON.writeValueAsBytes(node);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The content of a file below the server's address. */
  byte @Nullable [] file(String path) {
    return switch (path) {
      case IndexFile.PATH -> indexBytes();
      case PRODUCTS -> documentBytes();
      default -> files.get(path);
    };
  }

  /** Serves it below {@code /base/}. */
  void answer(LoopbackServer.Request request, LoopbackServer.Response response) throws IOException {
    byte[] content = file(request.path().replaceFirst("^/base/", ""));
    if (content == null) {
      response.send(404, "");
    } else {
      response.file(content, '"' + SmallImage.sha256(content) + '"');
    }
  }
}
