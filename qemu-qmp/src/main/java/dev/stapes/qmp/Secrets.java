package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Keeps what was secret in arguments out of messages: the other side may repeat it. */
final class Secrets {
  /** Members whose names, or a part of them, say that the content is nobody's business. */
  private static final Set<String> TELLING =
      Set.of("password", "passwd", "secret", "data", "key", "buf-b64", "env", "auth", "token");

  private static final String BLOT = "***";

  private Secrets() {}

  /** The text without the values of such members. */
  static String blot(String text, ObjectNode arguments) {
    return blot(text, arguments, false);
  }

  private static String blot(String text, JsonNode node, boolean secret) {
    String result = text;
    if (node.isTextual()) {
      String value = node.textValue();
      return secret && !value.isEmpty() ? result.replace(value, BLOT) : result;
    }
    if (node.isArray()) {
      for (JsonNode each : node) {
        result = blot(result, each, secret);
      }
    } else if (node.isObject()) {
      for (Map.Entry<String, JsonNode> member : node.properties()) {
        result = blot(result, member.getValue(), secret || tells(member.getKey()));
      }
    }
    return result;
  }

  private static boolean tells(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return TELLING.stream().anyMatch(lower::contains);
  }
}
