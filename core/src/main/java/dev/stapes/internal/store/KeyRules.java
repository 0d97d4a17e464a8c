package dev.stapes.internal.store;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.util.Comparator;

/** What keys and values may be, and how keys are ordered. */
final class KeyRules {
  static final int MAX_KEY = 512;
  static final int MAX_VALUE = 1 << 20;

  /** Orders as the UTF-8 bytes do, which {@link String#compareTo} does not above U+D7FF. */
  static final Comparator<String> ORDER = KeyRules::compare;

  private KeyRules() {}

  static String key(String key) {
    if (key.isEmpty() || key.length() > MAX_KEY) {
      throw StapesException.invalid(
          "state key", "must have 1 to 512 characters, has " + key.length() + quote(key));
    }
    for (int i = 0; i < key.length(); i++) {
      char c = key.charAt(i);
      if (c < ' ' || c == 0x7f) {
        throw StapesException.invalid(
            "state key", "has the control character 0x" + Integer.toHexString(c) + quote(key));
      }
    }
    if (key.contains(StateStore.end(""))) {
      throw StapesException.invalid("state key", "has the character U+10FFFF" + quote(key));
    }
    return text("state key", key);
  }

  static String value(String key, String value) {
    String subject = "value of state key " + key;
    if (value.length() > MAX_VALUE || utf8Length(value) > MAX_VALUE) {
      throw StapesException.invalid(
          subject, "must have at most " + MAX_VALUE + " bytes, has " + utf8Length(value));
    }
    return text(subject, value);
  }

  /** Keys are well-formed, and what is put is not removed as well. */
  static void transaction(StateStore.Transaction transaction) {
    transaction
        .conditions()
        .forEach(
            (key, modified) -> {
              key(key);
              if (modified.isPresent() && modified.getAsLong() < 1) {
                throw StapesException.invalid(
                    "condition on state key " + key,
                    "a revision is at least 1: " + modified.getAsLong());
              }
            });
    transaction.puts().forEach((key, value) -> value(key(key), value));
    for (String key : transaction.removes()) {
      key(key);
      if (transaction.puts().containsKey(key)) {
        throw StapesException.invalid("state key", "is put and removed at once" + quote(key));
      }
    }
  }

  /** Text that UTF-8 can say. */
  static String text(String subject, String text) {
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
        throw StapesException.invalid(
            subject, "has half of a surrogate pair, 0x" + Integer.toHexString(c) + ", at " + i);
      }
      i += Character.charCount(c);
    }
    return text;
  }

  private static int utf8Length(String text) {
    int length = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      // Each half of a pair stands for two of the pair's four bytes.
      length += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return length;
  }

  private static String quote(String key) {
    String start = key.length() > 80 ? key.substring(0, 80) + "..." : key;
    return ": \"" + start.replaceAll("\\p{Cntrl}", "?") + "\"";
  }

  private static int compare(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        return weight(x) - weight(y);
      }
    }
    return a.length() - b.length();
  }

  /** Moves the surrogates behind U+FFFF, where the code points they stand for sort in UTF-8. */
  private static int weight(char c) {
    return Character.isSurrogate(c) ? c + 0x10000 : c;
  }
}
