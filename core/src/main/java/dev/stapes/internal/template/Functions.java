package dev.stapes.internal.template;

import io.pebbletemplates.pebble.extension.AbstractExtension;
import io.pebbletemplates.pebble.extension.Function;
import io.pebbletemplates.pebble.template.EvaluationContext;
import io.pebbletemplates.pebble.template.PebbleTemplate;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All that a translated template can do but print, choose and loop. */
final class Functions extends AbstractExtension {
  private static final Map<String, Definition> OF_EXPRESSIONS =
      Map.ofEntries(
          two("fn_or", call -> Values.isTrue(call.a()) ? call.a() : call.b()),
          two("fn_and", call -> Values.isTrue(call.a()) ? call.b() : call.a()),
          one("fn_not", call -> !Values.isTrue(call.a())),
          two("fn_eq", call -> Values.equal(call.a(), call.b())),
          two("fn_ne", call -> !Values.equal(call.a(), call.b())),
          two("fn_lt", call -> Values.number(call.a()) < Values.number(call.b())),
          two("fn_le", call -> Values.number(call.a()) <= Values.number(call.b())),
          two("fn_gt", call -> Values.number(call.a()) > Values.number(call.b())),
          two("fn_ge", call -> Values.number(call.a()) >= Values.number(call.b())),
          two("fn_in", Functions::in),
          two("fn_get", call -> Values.get(call.a(), call.b())),
          one("fn_true", call -> Values.isTrue(call.a())),
          one("fn_text", Functions::written),
          two("fn_each", Functions::each),
          one("fn_key", call -> ((Values.Item) call.given("a")).key()),
          one("fn_value", call -> ((Values.Item) call.given("a")).value()),
          two("fn_loop", call -> ((Values.Item) call.given("a")).loop(call.b())),
          Map.entry("fn_config", new Definition(3, Functions::config)));

  private static final Map<String, Definition> FILTERS =
      Map.ofEntries(
          two("add", Functions::add),
          one("capfirst", call -> Values.capitalized(call.text())),
          two("cut", call -> cut(call.text(), Values.text(call.b()))),
          two("default", call -> Values.isTrue(call.a()) ? call.a() : call.b()),
          two("default_if_none", call -> call.a() == null ? call.b() : call.a()),
          one("first", call -> Values.first(call.a(), false)),
          one("integer", call -> Values.number(call.a())),
          two("join", Functions::join),
          one("last", call -> Values.first(call.a(), true)),
          one("length", call -> Values.length(call.a())),
          one("lower", call -> call.text().toLowerCase(Locale.ROOT)),
          one("safe", Call::a),
          two("split", Functions::split),
          one("upper", call -> call.text().toUpperCase(Locale.ROOT)),
          two("yesno", call -> Values.yesNo(call.a(), call.b())));

  private static final String FILTER = "filter_";

  private interface Body {
    @Nullable Object of(Call call);
  }

  private record Definition(int arguments, Body body) {}

  private record Call(Map<String, Object> arguments, Meter meter, int line) {
    @Nullable Object a() {
      return arguments.get("a");
    }

    @Nullable Object b() {
      return arguments.get("b");
    }

    Object given(String name) {
      Object value = arguments.get(name);
      if (value == null) {
        throw new IllegalStateException("a translation always gives " + name);
      }
      return value;
    }

    String text() {
      return Values.text(a());
    }
  }

  private static Map.Entry<String, Definition> one(String name, Body body) {
    return Map.entry(name, new Definition(1, body));
  }

  private static Map.Entry<String, Definition> two(String name, Body body) {
    return Map.entry(name, new Definition(2, body));
  }

  /** How many values a filter takes, with the one that it is applied to; 0: there is none. */
  static int argumentsOfFilter(String name) {
    Definition filter = FILTERS.get(name);
    return filter == null ? 0 : filter.arguments();
  }

  @Override
  public Map<String, Function> getFunctions() {
    Map<String, Function> all = new HashMap<>();
    OF_EXPRESSIONS.forEach((name, definition) -> all.put(name, new Metered(definition)));
    FILTERS.forEach((name, definition) -> all.put(FILTER + name, new Metered(definition)));
    return all;
  }

  private static Object in(Call call) {
    if (call.b() instanceof String text) {
      call.meter().text(call.line(), text.length());
    }
    return Values.contains(call.b(), call.a());
  }

  private static Object written(Call call) {
    if (!Values.isPlain(call.a())) {
      throw BadTemplate.at(call.line(), "a map or list cannot be written");
    }
    String text = call.text();
    call.meter().write(call.line(), text.length());
    return text;
  }

  private static Object each(Call call) {
    call.meter().step(call.line(), Values.isPlain(call.a()) ? 1 : Values.length(call.a()));
    return Values.each(call.a(), Boolean.TRUE.equals(call.b()));
  }

  private static @Nullable Object config(Call call) {
    Object value = Values.get(call.a(), call.b());
    return value == null ? call.arguments().get("c") : Values.withoutLineEnd(Values.text(value));
  }

  private static Object add(Call call) {
    if (call.a() instanceof Long a && call.b() instanceof Long b) {
      return a + b;
    }
    String first = call.text();
    String second = Values.text(call.b());
    call.meter().text(call.line(), (long) first.length() + second.length());
    return first + second;
  }

  private static String cut(String text, String what) {
    return what.isEmpty() ? text : text.replace(what, "");
  }

  private static Object join(Call call) {
    String separator = Values.text(call.b());
    List<String> texts = Values.texts(call.a());
    long length = texts.stream().mapToLong(String::length).sum();
    call.meter().text(call.line(), length + (long) separator.length() * texts.size());
    return String.join(separator, texts);
  }

  private static Object split(Call call) {
    String text = call.text();
    call.meter().step(call.line(), text.length() >> 2);
    return Values.split(text, Values.text(call.b()));
  }

  /** Is counted. */
  private record Metered(Definition definition) implements Function {
    @Override
    public List<String> getArgumentNames() {
      return List.of("a", "b", "c").subList(0, definition.arguments());
    }

    @Override
    public @Nullable Object execute(
        Map<String, Object> arguments,
        PebbleTemplate self,
        EvaluationContext context,
        int lineNumber) {
      if (!(context.getVariable(Meter.NAME) instanceof Meter meter)) {
        throw new IllegalStateException("a rendering always has a meter");
      }
      Call call = new Call(new TreeMap<>(arguments), meter, lineNumber);
      for (Object argument : arguments.values()) {
        if (argument instanceof String text) {
          meter.text(lineNumber, text.length());
        }
      }
      meter.step(lineNumber, 1);
      return definition.body().of(call);
    }
  }
}
