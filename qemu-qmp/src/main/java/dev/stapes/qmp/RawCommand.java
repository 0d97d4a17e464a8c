package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Any command, by its name.
 *
 * @param commandName in the protocol
 * @param arguments of it; copied
 */
public record RawCommand(String commandName, ObjectNode arguments) implements QmpCommand<JsonNode> {
  /** A command without arguments. */
  public RawCommand(String commandName) {
    this(commandName, JsonNodeFactory.instance.objectNode());
  }

  /** Copies. */
  public RawCommand {
    arguments = arguments.deepCopy();
  }

  @Override
  public ObjectNode arguments() {
    return arguments.deepCopy();
  }

  /** Without the arguments: they may be secret. */
  @Override
  public String toString() {
    return "RawCommand[" + commandName + "]";
  }

  @Override
  public JsonNode result(JsonNode returned) {
    return returned;
  }
}
