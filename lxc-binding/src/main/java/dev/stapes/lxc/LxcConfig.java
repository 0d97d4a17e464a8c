package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The items of an LXC configuration, lxc.container.conf(5), in order. A value can never start a
 * line of its own, whatever it holds.
 *
 * @param items copied
 */
public record LxcConfig(List<Item> items) {
  private static final Pattern KEY = Pattern.compile("lxc(\\.[a-z0-9_]+)+");

  /** Copies. */
  public LxcConfig {
    items = List.copyOf(items);
  }

  /**
   * One line.
   *
   * @param key such as {@code lxc.uts.name}
   * @param value not empty, on one line
   */
  public record Item(String key, String value) {
    /** Refuses what would not be read back as the same item. */
    public Item {
      if (!KEY.matcher(key).matches()) {
        throw StapesException.invalid("lxc config", "not a key: \"" + key + "\"");
      }
      if (value.isEmpty()) {
        throw StapesException.invalid("lxc config " + key, "the value is empty");
      }
      int bad = firstControl(value);
      if (bad >= 0) {
        throw StapesException.invalid(
            "lxc config " + key,
            "the value has the control character " + (int) value.charAt(bad) + " at " + bad);
      }
    }

    /** The line, without its end. */
    @Override
    public String toString() {
      return key + " = " + quoted();
    }

    /** liblxc strips blanks at both ends, and one pair of quotes around the whole value. */
    private String quoted() {
      char first = value.charAt(0);
      char last = value.charAt(value.length() - 1);
      boolean needed = first == '"' || first == '\'' || isBlank(first) || isBlank(last);
      return needed ? "\"" + value + "\"" : value;
    }

    private static boolean isBlank(char c) {
      return c == ' ' || c == '\t';
    }

    private static int firstControl(String text) {
      for (int i = 0; i < text.length(); i++) {
        if (Character.isISOControl(text.charAt(i)) && text.charAt(i) != '\t') {
          return i;
        }
      }
      return -1;
    }
  }

  /** The value of the last item with a key. */
  public Optional<String> value(String key) {
    return items.stream()
        .filter(item -> item.key().equals(key))
        .reduce((first, second) -> second)
        .map(Item::value);
  }

  /** The content of the file. */
  public String text() {
    StringBuilder text = new StringBuilder();
    items.forEach(item -> text.append(item).append('\n'));
    return text.toString();
  }

  /** Collects items. */
  public static final class Builder {
    private final List<Item> items = new ArrayList<>();

    /** Begins without an item. */
    public Builder() {}

    /** Appends an item. */
    public Builder add(String key, String value) {
      items.add(new Item(key, value));
      return this;
    }

    /** Appends items. */
    public Builder addAll(List<Item> more) {
      items.addAll(more);
      return this;
    }

    /** The configuration. */
    public LxcConfig build() {
      return new LxcConfig(items);
    }
  }
}
