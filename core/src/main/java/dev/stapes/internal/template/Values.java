package dev.stapes.internal.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What values mean: nothing, truth values, whole numbers, texts, lists, maps by text. As in pongo2,
 * nothing that is asked of a value of the wrong kind is an error.
 */
final class Values {
  private Values() {}

  /**
   * What a loop is at.
   *
   * @param key of a map, or an element
   * @param value of a map
   * @param index from 0
   * @param count of all
   */
  record Item(@Nullable Object key, @Nullable Object value, int index, int count) {
    /** What is called {@code forloop}. */
    Map<String, @Nullable Object> loop(@Nullable Object outer) {
      Map<String, @Nullable Object> loop = new HashMap<>();
      loop.put("Counter", index + 1L);
      loop.put("Counter0", (long) index);
      loop.put("Revcounter", (long) count - index);
      loop.put("Revcounter0", count - index - 1L);
      loop.put("First", index == 0);
      loop.put("Last", index == count - 1);
      loop.put("Parentloop", outer);
      return loop;
    }
  }

  static boolean isTrue(@Nullable Object value) {
    if (value instanceof Boolean truth) {
      return truth;
    }
    if (value instanceof Long number) {
      return number != 0;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    return value instanceof List<?> list
        ? !list.isEmpty()
        : value instanceof Map<?, ?> map && !map.isEmpty();
  }

  static String text(@Nullable Object value) {
    if (value instanceof Boolean truth) {
      return truth ? "True" : "False";
    }
    return value == null ? "" : value.toString();
  }

  /** Whether it can be written. */
  static boolean isPlain(@Nullable Object value) {
    return value == null
        || value instanceof Boolean
        || value instanceof Long
        || value instanceof String;
  }

  static long number(@Nullable Object value) {
    if (value instanceof Long number) {
      return number;
    }
    try {
      return value instanceof String text && text.length() <= 20 ? Long.parseLong(text) : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  static boolean equal(@Nullable Object a, @Nullable Object b) {
    // Lists and maps are equal to nothing.
    return isPlain(a) && isPlain(b) && Objects.equals(a, b);
  }

  static boolean contains(@Nullable Object where, @Nullable Object what) {
    if (where instanceof String text) {
      return text.contains(text(what));
    }
    if (where instanceof Map<?, ?> map) {
      return what instanceof String key && map.containsKey(key);
    }
    return where instanceof List<?> list && list.stream().anyMatch(element -> equal(element, what));
  }

  static @Nullable Object get(@Nullable Object from, @Nullable Object key) {
    if (from instanceof Map<?, ?> map) {
      return map.get(text(key));
    }
    if (from instanceof List<?> list) {
      long index = number(key);
      boolean there = index >= 0 && index < list.size() && (index > 0 || "0".equals(text(key)));
      return there ? list.get((int) index) : null;
    }
    return null;
  }

  static @Nullable Object first(@Nullable Object from, boolean last) {
    if (from instanceof List<?> list) {
      return list.isEmpty() ? null : list.get(last ? list.size() - 1 : 0);
    }
    String text = text(from);
    if (text.isEmpty()) {
      return "";
    }
    return last
        ? text.substring(text.offsetByCodePoints(text.length(), -1))
        : text.substring(0, text.offsetByCodePoints(0, 1));
  }

  static long length(@Nullable Object of) {
    if (of instanceof Map<?, ?> map) {
      return map.size();
    }
    if (of instanceof List<?> list) {
      return list.size();
    }
    return of instanceof String text ? text.codePointCount(0, text.length()) : 0;
  }

  static List<Item> each(@Nullable Object value, boolean reversed) {
    List<Map.Entry<?, ?>> entries = new ArrayList<>();
    if (value instanceof Map<?, ?> map) {
      TreeMap<String, Object> sorted = new TreeMap<>();
      map.forEach((key, inner) -> sorted.put(text(key), inner));
      entries.addAll(sorted.entrySet());
    } else if (value instanceof List<?> list) {
      list.forEach(element -> entries.add(Map.entry(element, "")));
    }
    if (reversed) {
      Collections.reverse(entries);
    }
    List<Item> items = new ArrayList<>();
    for (Map.Entry<?, ?> entry : entries) {
      items.add(new Item(entry.getKey(), entry.getValue(), items.size(), entries.size()));
    }
    return items;
  }

  static List<Object> split(String text, String separator) {
    if (separator.isEmpty()) {
      return text.codePoints().<Object>mapToObj(Character::toString).toList();
    }
    List<Object> parts = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, from)) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  /** The texts of a list, else what it is itself. */
  static List<String> texts(@Nullable Object value) {
    return value instanceof List<?> list
        ? list.stream().map(Values::text).toList()
        : Stream.of(text(value)).toList();
  }

  static String capitalized(String text) {
    int end = text.isEmpty() ? 0 : text.offsetByCodePoints(0, 1);
    return text.substring(0, end).toUpperCase(java.util.Locale.ROOT) + text.substring(end);
  }

  /** One of three words, for true, false and nothing. */
  static String yesNo(@Nullable Object value, @Nullable Object words) {
    List<Object> choices = split(words == null ? "yes,no,maybe" : text(words), ",");
    int wanted = value == null ? 2 : isTrue(value) ? 0 : 1;
    return text(choices.get(Math.min(wanted, choices.size() - 1)));
  }

  static String withoutLineEnd(String text) {
    int end = text.length();
    while (end > 0 && (text.charAt(end - 1) == '\n' || text.charAt(end - 1) == '\r')) {
      end--;
    }
    return text.substring(0, end);
  }
}
