package dev.stapes.internal.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The templates of an image.
 *
 * @param architecture of the image
 * @param files by path; copied
 */
public record ImageTemplates(String architecture, List<ImageTemplate> files) {
  /** In ASCII, so that it can be cut anywhere. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  /** Copies. */
  public ImageTemplates {
    files = List.copyOf(files);
  }

  /** The JSON form, the same for the same templates. */
  String write() {
    ObjectNode all = JSON.createObjectNode();
    all.put("architecture", architecture);
    for (ImageTemplate file : files) {
      ObjectNode one = all.withArray("files").addObject();
      one.put("path", file.path());
      file.when().forEach(one.putArray("when")::add);
      one.put("create_only", file.createOnly());
      one.put("template", file.template());
      ObjectNode properties = one.putObject("properties");
      file.properties().forEach(properties::put);
      one.put("uid", file.uid());
      one.put("gid", file.gid());
      one.put("mode", file.mode());
      one.put("text", file.text());
    }
    try {
      return JSON.writeValueAsString(all);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of ours is always JSON", e);
    }
  }

  /** Reads the JSON form. */
  static ImageTemplates read(String text) {
    try {
      JsonNode all = JSON.readTree(text);
      List<ImageTemplate> files = new ArrayList<>();
      all.path("files").forEach(file -> files.add(file(file)));
      return new ImageTemplates(all.path("architecture").asText(), files);
    } catch (JsonProcessingException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, "image templates", "cannot be read: " + e.getMessage(), e);
    }
  }

  private static ImageTemplate file(JsonNode file) {
    TreeSet<String> when = new TreeSet<>();
    file.path("when").forEach(trigger -> when.add(trigger.asText()));
    TreeMap<String, String> properties = new TreeMap<>();
    for (Map.Entry<String, JsonNode> property : file.path("properties").properties()) {
      properties.put(property.getKey(), property.getValue().asText());
    }
    return new ImageTemplate(
        file.path("path").asText(),
        when,
        file.path("create_only").asBoolean(),
        file.path("template").asText(),
        properties,
        file.path("uid").asLong(),
        file.path("gid").asLong(),
        file.path("mode").asInt(),
        file.path("text").asText());
  }
}
