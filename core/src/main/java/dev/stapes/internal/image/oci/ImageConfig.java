package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an image says of how to run it (OCI image specification, config.md), as properties named
 * after the config keys that Incus has for it.
 */
final class ImageConfig {
  private static final int MOST = 1000;
  private static final String LABEL = "org.opencontainers.image.";

  private final JsonNode document;
  private final JsonNode config;
  private final String subject;
  private final Map<String, String> properties = new TreeMap<>();

  private ImageConfig(JsonNode document, String subject) {
    this.document = document;
    this.config = document.path("config");
    this.subject = subject;
  }

  /**
   * Reads the document.
   *
   * @param reference the image's name
   */
  static ImageMetadata read(JsonNode document, String reference, String subject) {
    return new ImageConfig(document, subject).metadata(reference);
  }

  private ImageMetadata metadata(String reference) {
    String os = Json.text(document, "os", subject);
    if (!os.equals("linux")) {
      throw new StapesException(Kind.UNSUPPORTED, subject, "is an image for " + os);
    }
    String variant = document.path("variant").asText("");
    String architecture =
        new Platform(Json.text(document, "architecture", subject), variant).kernel();
    properties.put("type", "oci");
    properties.put("id", reference);
    properties.put("architecture", architecture);
    properties.put("description", reference + " (OCI)");
    program();
    environment();
    put("oci.cwd", config.path("WorkingDir"));
    put("oci.user", config.path("User"));
    put("oci.stop_signal", config.path("StopSignal"));
    names("oci.volumes", config.path("Volumes"));
    names("oci.ports", config.path("ExposedPorts"));
    labels();
    if (properties.size() > MOST) {
      throw StapesException.invalid(subject, "has more than " + MOST + " properties");
    }
    return ImageMetadata.container(architecture, created(), properties);
  }

  private void program() {
    List<String> arguments = new ArrayList<>(Json.texts(config.path("Entrypoint"), subject));
    arguments.addAll(Json.texts(config.path("Cmd"), subject));
    if (!arguments.isEmpty()) {
      arguments.forEach(text -> requireNoNul("an argument", text));
      properties.put("oci.entrypoint", Words.join(arguments));
    }
  }

  private void environment() {
    for (String each : Json.texts(config.path("Env"), subject)) {
      int equals = each.indexOf('=');
      if (equals <= 0) {
        throw StapesException.invalid(subject, "has no variable but \"" + each + "\"");
      }
      requireNoNul("a variable", each);
      properties.put("environment." + each.substring(0, equals), each.substring(equals + 1));
    }
  }

  private void put(String name, JsonNode text) {
    Json.text(text)
        .filter(value -> !value.isEmpty())
        .ifPresent(
            value -> {
              requireNoNul(name, value);
              properties.put(name, value);
            });
  }

  private void names(String name, JsonNode set) {
    List<String> names = new ArrayList<>();
    for (Iterator<String> each = set.fieldNames(); each.hasNext(); ) {
      names.add(each.next());
    }
    if (!names.isEmpty()) {
      names.forEach(each -> requireNoNul(name, each));
      Collections.sort(names);
      properties.put(name, Words.join(names));
    }
  }

  private void labels() {
    for (Map.Entry<String, JsonNode> label : config.path("Labels").properties()) {
      if (label.getKey().startsWith(LABEL)) {
        put("oci." + label.getKey().substring(LABEL.length()), label.getValue());
      }
    }
  }

  private void requireNoNul(String what, String text) {
    if (text.indexOf('\0') >= 0) {
      throw StapesException.invalid(subject, "has " + what + " with a NUL in it");
    }
  }

  /** Images are often built without a time, so that they come out the same each time. */
  private Instant created() {
    try {
      return Json.text(document.path("created"))
          .map(text -> OffsetDateTime.parse(text).toInstant())
          .orElse(Instant.EPOCH);
    } catch (DateTimeException e) {
      throw new StapesException(Kind.INVALID, subject, "was created at no time: " + e, e);
    }
  }
}
