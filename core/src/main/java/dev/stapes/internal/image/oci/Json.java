package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Documents of unknown origin. */
final class Json {
  private static final int DEPTH = 64;
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private Json() {}

  /** Reads an object; INVALID where it is none. */
  static JsonNode object(byte[] document, String subject) {
    JsonNode read = read(document, subject);
    if (!read.isObject()) {
      throw StapesException.invalid(subject, "is no JSON object");
    }
    return read;
  }

  /** Reads a list; INVALID where it is none. */
  static JsonNode array(byte[] document, String subject) {
    JsonNode read = read(document, subject);
    if (!read.isArray()) {
      throw StapesException.invalid(subject, "is no JSON list");
    }
    return read;
  }

  private static JsonNode read(byte[] document, String subject) {
    try {
      return MAPPER.readTree(document);
    } catch (IOException e) {
      throw new StapesException(Kind.INVALID, subject, "is no JSON: " + reason(e), e);
    }
  }

  /** An empty object. */
  static ObjectNode newObject() {
    return MAPPER.createObjectNode();
  }

  /** Without what it quotes of the document. */
  private static String reason(IOException e) {
    String message = String.valueOf(e.getMessage());
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }

  /** A text, empty where it is missing or something else. */
  static Optional<String> text(JsonNode node) {
    return node.isTextual() ? Optional.of(node.textValue()) : Optional.empty();
  }

  /** A text that must be there. */
  static String text(JsonNode object, String name, String subject) {
    return text(object.path(name))
        .orElseThrow(() -> StapesException.invalid(subject, "has no \"" + name + "\""));
  }

  /** Texts of a list; what is missing is an empty one. */
  static List<String> texts(JsonNode list, String subject) {
    List<String> texts = new ArrayList<>();
    for (JsonNode each : list) {
      texts.add(
          text(each).orElseThrow(() -> StapesException.invalid(subject, "a list has no text")));
    }
    return texts;
  }
}
