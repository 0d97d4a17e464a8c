package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which parts an image has (OCI image specification, manifest.md, or Docker's image manifest
 * version 2, schema 2).
 *
 * @param config its configuration
 * @param layers from the lowest on
 */
record Manifest(Descriptor config, List<Descriptor> layers) {
  /** What a client says that it understands. */
  static final String ACCEPT =
      String.join(
          ", ",
          "application/vnd.oci.image.index.v1+json",
          "application/vnd.oci.image.manifest.v1+json",
          "application/vnd.docker.distribution.manifest.list.v2+json",
          "application/vnd.docker.distribution.manifest.v2+json");

  /** The media type of a configuration. */
  static final String CONFIG = "application/vnd.oci.image.config.v1+json";

  /** The media type of a layer that is not compressed. */
  static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

  /** Of an image. */
  static final int MOST_LAYERS = 512;

  private static final Set<String> CONFIGS =
      Set.of(CONFIG, "application/vnd.docker.container.image.v1+json");
  private static final Set<String> LAYERS =
      Set.of(
          LAYER,
          LAYER + "+gzip",
          LAYER + "+zstd",
          "application/vnd.docker.image.rootfs.diff.tar",
          "application/vnd.docker.image.rootfs.diff.tar.gzip",
          "application/vnd.docker.image.rootfs.diff.tar.zstd");
  private static final int MOST_MANIFESTS = 1024;

  Manifest {
    layers = List.copyOf(layers);
  }

  /** As a document of OCI, always the same for the same. */
  byte[] document() {
    ObjectNode document = Json.newObject();
    document.put("schemaVersion", 2);
    document.put("mediaType", "application/vnd.oci.image.manifest.v1+json");
    config.write(document.putObject("config"));
    ArrayNode list = document.putArray("layers");
    layers.forEach(layer -> layer.write(list.addObject()));
    return document.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Whether a document is a list of images for several platforms. */
  static boolean isIndex(JsonNode document) {
    return document.path("manifests").isArray();
  }

  /** Reads one; INVALID where it is damaged, UNSUPPORTED where it is of something else. */
  static Manifest of(JsonNode document, String subject) {
    if (document.path("schemaVersion").asInt() == 1) {
      throw unsupported(subject, "has a manifest of schema 1, which registries gave up in 2017");
    }
    if (!document.path("config").isObject() || !document.path("layers").isArray()) {
      throw StapesException.invalid(subject, "its manifest has no config or no layers");
    }
    Descriptor config = Descriptor.of(document.path("config"), subject);
    if (!CONFIGS.contains(config.mediaType())) {
      throw unsupported(subject, "is no image but an artifact: " + config.mediaType());
    }
    List<Descriptor> layers = new ArrayList<>();
    for (JsonNode each : document.path("layers")) {
      Descriptor layer = Descriptor.of(each, subject);
      if (!LAYERS.contains(layer.mediaType())) {
        throw unsupported(subject, otherLayer(layer.mediaType()));
      }
      layers.add(layer);
      if (layers.size() > MOST_LAYERS) {
        throw StapesException.invalid(subject, "has more than " + MOST_LAYERS + " layers");
      }
    }
    if (layers.isEmpty()) {
      throw StapesException.invalid(subject, "has no layers");
    }
    return new Manifest(config, layers);
  }

  private static String otherLayer(String mediaType) {
    if (mediaType.endsWith("+encrypted")) {
      return "has an encrypted layer, which cannot be read: " + mediaType;
    }
    if (mediaType.contains(".foreign.") || mediaType.contains(".nondistributable.")) {
      return "has a layer that is not distributed with images: " + mediaType;
    }
    return "has a layer of another kind: " + mediaType;
  }

  /** What an index lists. */
  static List<JsonNode> listed(JsonNode index, String subject) {
    List<JsonNode> listed = new ArrayList<>();
    if (index.path("manifests").size() > MOST_MANIFESTS) {
      throw StapesException.invalid(subject, "has more than " + MOST_MANIFESTS + " manifests");
    }
    index.path("manifests").forEach(listed::add);
    return listed;
  }

  /** The best of an index for a platform. */
  static Descriptor choose(JsonNode index, Platform platform, String subject) {
    return choose(listed(index, subject), platform, subject);
  }

  /** The best for a platform of some that an index lists. */
  static Descriptor choose(List<JsonNode> manifests, Platform platform, String subject) {
    Descriptor best = null;
    int bestFit = -1;
    Set<String> there = new TreeSet<>();
    for (JsonNode each : manifests) {
      Optional<Platform> its = Platform.of(each.path("platform"));
      if (its.isPresent()) {
        there.add(its.get().toString());
        Optional<Integer> fit = platform.fits(its.get());
        if (fit.isPresent() && fit.get() > bestFit) {
          best = Descriptor.of(each, subject);
          bestFit = fit.get();
        }
      }
    }
    if (best == null) {
      throw StapesException.notFound(
          subject + " for " + platform + ", but for " + String.join(", ", there));
    }
    return best;
  }

  private static StapesException unsupported(String subject, String reason) {
    return new StapesException(Kind.UNSUPPORTED, subject, reason);
  }
}
