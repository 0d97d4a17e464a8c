package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Any command, by its name.
 *
 * @param commandName in the protocol
 * @param arguments of it; copied
 */
public record RawCommand(String commandName, ObjectNode arguments) implements QmpCommand<JsonNode> {
  /** Copies. */
  public RawCommand {
    arguments = arguments.deepCopy();
  }

  @Override
  public ObjectNode arguments() {
    return arguments.deepCopy();
  }

  @Override
  public JsonNode result(JsonNode returned) {
    return returned;
  }
}
