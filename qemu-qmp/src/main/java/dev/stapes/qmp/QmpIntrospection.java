package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the other side can do, by its own account. A path is names with dots between them, such as
 * {@code file.locking} of {@code blockdev-add}; a name of any branch of a union counts.
 *
 * <p>A guest agent tells its commands alone: every path leads somewhere then, if there is the
 * command.
 */
public final class QmpIntrospection {
  private final Map<String, JsonNode> types = new HashMap<>();
  private final Map<String, JsonNode> commands = new HashMap<>();
  private final Map<String, JsonNode> events = new HashMap<>();
  private final boolean typed;

  private QmpIntrospection(boolean typed) {
    this.typed = typed;
  }

  /**
   * Reads what {@code query-qmp-schema} returned.
   *
   * @throws QmpProtocolException if it is no list of entities with names
   */
  public static QmpIntrospection ofSchema(JsonNode schema) {
    QmpIntrospection made = new QmpIntrospection(true);
    if (!schema.isArray()) {
      throw new QmpProtocolException("query-qmp-schema returned no list");
    }
    for (JsonNode entity : schema) {
      String name = entity.path("name").asText("");
      if (name.isEmpty()) {
        throw new QmpProtocolException("query-qmp-schema returned an entity without a name");
      }
      switch (entity.path("meta-type").asText("")) {
        case "command" -> made.commands.put(name, entity);
        case "event" -> made.events.put(name, entity);
        default -> made.types.put(name, entity);
      }
    }
    return made;
  }

  /**
   * Reads what {@code guest-info} returned; commands that are switched off there do not count.
   *
   * @throws QmpProtocolException if it has no list of commands
   */
  public static QmpIntrospection ofGuest(JsonNode info) {
    QmpIntrospection made = new QmpIntrospection(false);
    JsonNode supported = info.path("supported_commands");
    if (!supported.isArray()) {
      throw new QmpProtocolException("guest-info returned no commands");
    }
    for (JsonNode command : supported) {
      if (command.path("enabled").asBoolean(false)) {
        made.commands.put(command.path("name").asText(""), command);
      }
    }
    return made;
  }

  /** The names of all commands. */
  public Set<String> commands() {
    return new TreeSet<>(commands.keySet());
  }

  /** The names of all events; none of a guest agent. */
  public Set<String> events() {
    return new TreeSet<>(events.keySet());
  }

  /** Whether there is a command of this name. */
  public boolean hasCommand(String command) {
    return commands.containsKey(command);
  }

  /** Whether there is an event of this name. */
  public boolean hasEvent(String event) {
    return events.containsKey(event);
  }

  /** Whether a command may be given out of band. */
  public boolean isOutOfBand(String command) {
    JsonNode entity = commands.get(command);
    return entity != null && entity.path("allow-oob").asBoolean(false);
  }

  /** Whether a command has an argument. */
  public boolean hasArgument(String command, String path) {
    return leads(commands.get(command), "arg-type", path, type -> true);
  }

  /** Whether an argument of a command may have this value, or be a list of such. */
  public boolean hasArgumentValue(String command, String path, String value) {
    return leads(commands.get(command), "arg-type", path, type -> hasValue(type, value));
  }

  /** Whether what a command returns, or each of it, has this member. */
  public boolean hasResultMember(String command, String path) {
    return leads(commands.get(command), "ret-type", path, type -> true);
  }

  /** Whether what comes with an event has this member. */
  public boolean hasEventMember(String event, String path) {
    return leads(events.get(event), "arg-type", path, type -> true);
  }

  /** Whether there is the command with the arguments that are given, down to the last of them. */
  public boolean supports(QmpCommand<?> command) {
    return hasCommand(command.commandName())
        && paths(command.arguments(), "").stream()
            .allMatch(path -> hasArgument(command.commandName(), path));
  }

  /** The names of all members, but of what lies in lists. */
  private static Set<String> paths(JsonNode object, String prefix) {
    Set<String> paths = new HashSet<>();
    for (Map.Entry<String, JsonNode> member : object.properties()) {
      paths.add(prefix + member.getKey());
      paths.addAll(paths(member.getValue(), prefix + member.getKey() + "."));
    }
    return paths;
  }

  private boolean leads(
      @Nullable JsonNode entity, String member, String path, Predicate<String> ends) {
    if (entity == null) {
      return false;
    }
    if (!typed) {
      return true;
    }
    Set<String> at = new HashSet<>();
    open(entity.path(member).asText(""), at);
    for (String name : path.split("\\.", -1)) {
      Set<String> next = new HashSet<>();
      for (String type : at) {
        for (JsonNode each : members(type)) {
          if (each.path("name").asText("").equals(name)) {
            open(each.path("type").asText(""), next);
          }
        }
      }
      at = next;
    }
    return at.stream().anyMatch(ends);
  }

  private JsonNode members(String type) {
    JsonNode entity = types.get(type);
    return entity == null || !entity.path("meta-type").asText("").equals("object")
        ? MissingNode.getInstance()
        : entity.path("members");
  }

  /** Adds a type with all that a value of it may be: branches, elements, alternatives. */
  private void open(String name, Set<String> into) {
    JsonNode type = types.get(name);
    if (type == null || !into.add(name)) {
      return;
    }
    switch (type.path("meta-type").asText("")) {
      case "object" -> type.path("variants").forEach(each -> openTypeOf(each, into));
      case "alternate" -> type.path("members").forEach(each -> openTypeOf(each, into));
      case "array" -> open(type.path("element-type").asText(""), into);
      default -> {}
    }
  }

  private void openTypeOf(JsonNode part, Set<String> into) {
    open(part.path("type").asText(""), into);
  }

  private boolean hasValue(String type, String value) {
    JsonNode entity = types.get(type);
    if (entity == null) {
      return false;
    }
    for (JsonNode each : entity.path("values")) {
      if (each.asText("").equals(value)) {
        return true;
      }
    }
    for (JsonNode each : entity.path("members")) {
      if (entity.path("meta-type").asText("").equals("enum")
          && each.path("name").asText("").equals(value)) {
        return true;
      }
    }
    return false;
  }
}
