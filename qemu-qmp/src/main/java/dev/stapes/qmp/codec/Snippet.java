package dev.stapes.qmp.codec;

import com.fasterxml.jackson.databind.JsonNode;

/** The beginning of JSON, for a message. */
final class Snippet {
  private static final int LENGTH = 200;

  private Snippet() {}

  static String of(JsonNode json) {
    String text = json.toString();
    return text.length() <= LENGTH ? text : text.substring(0, LENGTH) + "...";
  }
}
