package dev.stapes.internal.template;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What the names of a template mean in its translation, and the texts that it refers to. */
final class Names {
  /** What every template is given. */
  static final Set<String> GIVEN =
      Set.of("trigger", "path", "container", "instance", "config", "devices", "properties");

  private static final Map<String, String> CONSTANTS =
      Map.of(
          "true", "true",
          "false", "false",
          "True", "true",
          "False", "false",
          "nil", "null",
          "none", "null",
          "None", "null");

  private final Map<String, Object> texts = new TreeMap<>();
  private final Map<String, String> known = new HashMap<>();
  private final Deque<Map<String, String>> loops = new ArrayDeque<>();
  private int items;

  /** The name of what a template is given. */
  static String given(String name) {
    return "given_" + name;
  }

  /** The name of a text. */
  String text(String text) {
    return known.computeIfAbsent(
        text,
        value -> {
          String name = "text_" + texts.size();
          texts.put(name, value);
          return name;
        });
  }

  /** All texts by their names. */
  Map<String, Object> texts() {
    return texts;
  }

  /** What a name stands for; nothing where nobody has given it a value. */
  String lookUp(String name) {
    for (Map<String, String> loop : loops) {
      String expression = loop.get(name);
      if (expression != null) {
        return expression;
      }
    }
    return GIVEN.contains(name) ? given(name) : CONSTANTS.getOrDefault(name, "null");
  }

  /** A loop begins; the answer is the name of what it is at. */
  String enterLoop(List<String> variables) {
    String item = "item_" + items++;
    Optional<String> outer = loops.isEmpty() ? Optional.empty() : Optional.of(lookUp("forloop"));
    Map<String, String> names = new HashMap<>();
    names.put("forloop", "fn_loop(" + item + ", " + outer.orElse("null") + ")");
    names.put(variables.get(0), "fn_key(" + item + ")");
    if (variables.size() > 1) {
      names.put(variables.get(1), "fn_value(" + item + ")");
    }
    loops.push(names);
    return item;
  }

  /** The innermost loop ends. */
  void leaveLoop() {
    loops.pop();
  }
}
