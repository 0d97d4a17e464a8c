package dev.stapes.qmp;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ContainerNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** Makes trees of tokens that come one by one. */
final class TreeBuilder {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final int deepest;
  private final int mostValues;
  private final Deque<ContainerNode<?>> open = new ArrayDeque<>(4);
  private final Deque<String> names = new ArrayDeque<>(4);
  private int values;

  TreeBuilder(int deepest, int mostValues) {
    this.deepest = deepest;
    this.mostValues = mostValues;
  }

  boolean isOpen() {
    return !open.isEmpty();
  }

  void clear() {
    open.clear();
    names.clear();
    values = 0;
  }

  /**
   * Takes the token that the parser is at.
   *
   * @return an object of the outermost level, with its last token; else null
   */
  @Nullable ObjectNode take(JsonToken token, JsonParser parser) throws IOException {
    if (open.isEmpty() && token != JsonToken.START_OBJECT) {
      throw new QmpProtocolException("what was said is JSON, but no object");
    }
    switch (token) {
      case START_OBJECT -> opened(NODES.objectNode());
      case START_ARRAY -> opened(NODES.arrayNode());
      case FIELD_NAME -> names.push(parser.currentName());
      case END_OBJECT, END_ARRAY -> {
        ContainerNode<?> closed = open.pop();
        if (open.isEmpty()) {
          clear();
          return (ObjectNode) closed;
        }
      }
      default -> add(scalar(token, parser));
    }
    return null;
  }

  private void opened(ContainerNode<?> node) {
    if (open.size() == deepest) {
      throw new QmpProtocolException(
          "a message of more than " + deepest + " levels, which is the limit");
    }
    if (!open.isEmpty()) {
      add(node);
    }
    open.push(node);
  }

  private void add(JsonNode node) {
    values++;
    if (values > mostValues) {
      throw new QmpProtocolException(
          "a message of more than " + mostValues + " values, which is the limit");
    }
    if (open.element() instanceof ArrayNode array) {
      array.add(node);
    } else {
      ((ObjectNode) open.element()).set(names.pop(), node);
    }
  }

  private static JsonNode scalar(JsonToken token, JsonParser parser) throws IOException {
    return switch (token) {
      case VALUE_STRING -> NODES.textNode(parser.getText());
      case VALUE_NUMBER_INT ->
          switch (parser.getNumberType()) {
            case INT -> NODES.numberNode(parser.getIntValue());
            case LONG -> NODES.numberNode(parser.getLongValue());
            default -> NODES.numberNode(parser.getBigIntegerValue());
          };
      case VALUE_NUMBER_FLOAT -> NODES.numberNode(parser.getDoubleValue());
      case VALUE_TRUE -> NODES.booleanNode(true);
      case VALUE_FALSE -> NODES.booleanNode(false);
      default -> NODES.nullNode();
    };
  }
}
