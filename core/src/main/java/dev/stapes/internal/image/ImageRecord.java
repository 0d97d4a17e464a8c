package dev.stapes.internal.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * An image as it stands in the state store.
 *
 * @param info what it is
 * @param form which files it has
 * @param modified the revision that its record was changed at last
 */
record ImageRecord(ImageInfo info, ImageForm form, long modified) {
  /** In front of a fingerprint. */
  static final String IMAGES = "images/";

  /** In front of an alias; the value is a fingerprint. */
  static final String ALIASES = "aliases/";

  /** In front of a fingerprint; the value is the time of its last use. */
  static final String USED = "image-used/";

  /** In front of a pool, a slash and the name of a volume: it is wholly unpacked there. */
  static final String VOLUMES = "image-volumes/";

  private static final ObjectMapper JSON = new ObjectMapper();

  static String key(String fingerprint) {
    return IMAGES + fingerprint;
  }

  static String volumeKey(String pool, String volume) {
    return VOLUMES + pool + "/" + volume;
  }

  /** The JSON form. */
  static String write(ImageInfo info, ImageForm form) {
    ObjectNode record = JSON.createObjectNode();
    info.aliases().forEach(record.putArray("aliases")::add);
    record.put("type", info.metadata().type().toString());
    record.put("architecture", info.metadata().architecture());
    record.put("created_at", info.metadata().createdAt().toString());
    ObjectNode properties = record.putObject("properties");
    info.metadata().properties().forEach(properties::put);
    record.put("split", form.split());
    if (!form.parts().isEmpty()) {
      ArrayNode blobs = record.putArray("blobs");
      form.parts()
          .forEach(
              part -> blobs.addObject().put("digest", part.digest()).put("layer", part.layer()));
    }
    record.put("size", info.size().bytes());
    record.put("source", info.source());
    record.put("imported_at", info.importedAt().toString());
    if (info.cached()) {
      record.put("cached", true);
    }
    info.origin().ifPresent(origin -> write(origin, record.putObject("origin")));
    return record.toString();
  }

  private static void write(ImageOrigin origin, ObjectNode into) {
    into.put("protocol", origin.protocol().toString());
    into.put("server", origin.server());
    into.put("alias", origin.alias());
    ObjectNode options = into.putObject("options");
    origin.options().forEach(options::put);
  }

  /** Empty where there is none, or one of a protocol that a later version knows. */
  private static Optional<ImageOrigin> origin(JsonNode origin) {
    return Stream.of(ImageOrigin.Protocol.values())
        .filter(protocol -> protocol.toString().equals(origin.path("protocol").asText()))
        .findFirst()
        .map(
            protocol ->
                new ImageOrigin(
                    protocol,
                    origin.path("server").asText(),
                    origin.path("alias").asText(),
                    texts(origin.path("options"))));
  }

  private static TreeMap<String, String> texts(JsonNode members) {
    TreeMap<String, String> texts = new TreeMap<>();
    for (Map.Entry<String, JsonNode> member : members.properties()) {
      texts.put(member.getKey(), member.getValue().asText());
    }
    return texts;
  }

  /** Reads a record of the store. */
  static ImageRecord read(StateStore.Entry entry) {
    String fingerprint = entry.key().substring(IMAGES.length());
    try {
      JsonNode record = JSON.readTree(entry.value());
      TreeSet<String> aliases = new TreeSet<>();
      record.path("aliases").forEach(alias -> aliases.add(alias.asText()));
      ImageMetadata metadata =
          new ImageMetadata(
              type(record.path("type").asText()),
              record.path("architecture").asText(),
              Instant.parse(record.path("created_at").asText()),
              texts(record.path("properties")));
      ImageInfo info =
          new ImageInfo(
              fingerprint,
              aliases,
              metadata,
              Size.ofBytes(record.path("size").asLong()),
              record.path("source").asText(),
              Instant.parse(record.path("imported_at").asText()));
      return new ImageRecord(
          info.withOrigin(record.path("cached").asBoolean(), origin(record.path("origin"))),
          form(record),
          entry.modified());
    } catch (JsonProcessingException | DateTimeException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL,
          "image " + fingerprint,
          "its record cannot be read: " + e.getMessage(),
          e);
    }
  }

  private static ImageForm form(JsonNode record) {
    List<ImageForm.Part> parts = new ArrayList<>();
    for (JsonNode blob : record.path("blobs")) {
      parts.add(new ImageForm.Part(blob.path("digest").asText(), blob.path("layer").asBoolean()));
    }
    return new ImageForm(record.path("split").asBoolean(), parts);
  }

  /** The name of the volume with its root file system. */
  String volume() {
    return form.volume(info.fingerprint());
  }

  /** The names of all volumes that it is unpacked in. */
  List<String> volumes() {
    List<String> chain = form.chain();
    return chain.isEmpty() ? List.of(info.fingerprint()) : chain;
  }

  /** Records of once say nothing of containers. */
  private static InstanceType type(String text) {
    if (text.isEmpty()) {
      return InstanceType.CONTAINER;
    }
    for (InstanceType type : InstanceType.values()) {
      if (type.toString().equals(text)) {
        return type;
      }
    }
    throw StapesException.invalid("image type", "unknown: \"" + text + "\"");
  }
}
