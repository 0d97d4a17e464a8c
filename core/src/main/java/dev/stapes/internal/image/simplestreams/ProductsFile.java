package dev.stapes.internal.image.simplestreams;

import dev.stapes.internal.image.simplestreams.Product.Item;
import dev.stapes.internal.image.simplestreams.Product.Version;
import dev.stapes.model.ImageUrl;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A document with products. */
final class ProductsFile {
  /** Bytes that it may have. */
  static final int MOST = 64 << 20;

  private static final String FORMAT = "products:1.0";
  private static final int MEMBERS = 1_000;
  private static final int PRODUCTS = 100_000;
  private static final int VERSIONS = 10_000;
  private static final Set<String> FACTS =
      Set.of("os", "release", "release_title", "version", "arch", "variant");

  private final StreamsJson json;
  private final List<Product> products = new ArrayList<>();
  private final List<String> formats = new ArrayList<>();

  private ProductsFile(StreamsJson json) {
    this.json = json;
  }

  /** All products, in the order of the document. */
  static List<Product> read(String subject, byte[] content) {
    return StreamsJson.read(subject, content, json -> new ProductsFile(json).all());
  }

  private List<Product> all() throws IOException {
    json.members(
        "the document",
        MEMBERS,
        member -> {
          switch (member) {
            case "format" -> formats.add(json.text(member));
            case "products" -> json.members(member, PRODUCTS, this::product);
            default -> json.skip();
          }
        });
    if (!formats.equals(List.of(FORMAT))) {
      throw json.wrong("is not of the format " + FORMAT);
    }
    return products;
  }

  private void product(String name) throws IOException {
    List<String> aliases = new ArrayList<>();
    Map<String, String> facts = new HashMap<>();
    SortedMap<String, String> requirements = new TreeMap<>();
    List<Version> versions = new ArrayList<>();
    json.members(
        "a product",
        MEMBERS,
        member -> {
          switch (member) {
            case "aliases" ->
                Stream.of(json.text(member).split(","))
                    .map(String::trim)
                    .filter(alias -> !alias.isEmpty())
                    .forEach(aliases::add);
            case "requirements" ->
                json.members(member, MEMBERS, key -> requirements.put(key, json.text(key)));
            case "versions" ->
                json.members(member, VERSIONS, serial -> versions.add(version(serial)));
            default -> {
              if (FACTS.contains(member)) {
                facts.put(member, json.text(member));
              } else {
                json.skip();
              }
            }
          }
        });
    products.add(new Product(name, aliases, facts, requirements, versions));
  }

  private Version version(String serial) throws IOException {
    List<String> labels = new ArrayList<>();
    List<Item> items = new ArrayList<>();
    json.members(
        "a version",
        MEMBERS,
        member -> {
          switch (member) {
            case "label" -> labels.add(json.text(member));
            case "items" -> json.members(member, MEMBERS, name -> items.add(item()));
            default -> json.skip();
          }
        });
    return new Version(serial, labels.isEmpty() ? "" : labels.get(0), items);
  }

  private Item item() throws IOException {
    Map<String, String> texts = new HashMap<>();
    long[] size = {-1};
    json.members(
        "a file",
        MEMBERS,
        member -> {
          if (member.equals("size")) {
            size[0] = json.size(member);
          } else if (Set.of("ftype", "path", "sha256").contains(member)
              || member.startsWith("combined_")) {
            texts.put(member, json.text(member));
          } else {
            json.skip();
          }
        });
    Map<String, String> combined = new HashMap<>();
    texts.forEach(
        (member, text) -> {
          if (member.startsWith("combined_") && member.endsWith("sha256")) {
            combined.put(member, text.toLowerCase(Locale.ROOT));
          }
        });
    combined.values().removeIf(text -> !ImageUrl.isFingerprint(text));
    String sha256 = texts.getOrDefault("sha256", "").toLowerCase(Locale.ROOT);
    return new Item(
        texts.getOrDefault("ftype", ""),
        texts.getOrDefault("path", ""),
        ImageUrl.isFingerprint(sha256) ? sha256 : "",
        size[0],
        combined,
        texts.getOrDefault("combined_type", ""));
  }
}
