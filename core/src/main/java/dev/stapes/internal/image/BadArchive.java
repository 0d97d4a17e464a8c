package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The words for what is wrong with an archive: always INVALID, always quoting the entry. */
final class BadArchive {
  static final String SUBJECT = "image archive";
  private static final int QUOTED = 200;

  private BadArchive() {}

  /** Wrong as a whole. */
  static StapesException because(String problem) {
    return StapesException.invalid(SUBJECT, problem);
  }

  /** Wrong as a whole, found out by somebody else. */
  static StapesException because(String problem, @Nullable Throwable cause) {
    return new StapesException(StapesException.Kind.INVALID, SUBJECT, problem, cause);
  }

  /** One entry is wrong. */
  static StapesException entry(String name, String problem) {
    return because("entry " + quote(name) + ": " + problem);
  }

  /** One entry is wrong, found out by somebody else. */
  static StapesException entry(String name, String problem, Throwable cause) {
    return because("entry " + quote(name) + ": " + problem, cause);
  }

  /** A text of unknown origin, fit for a log: without control characters, not too long. */
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    int end = Math.min(text.length(), QUOTED);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT) {
        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append(end < text.length() ? "...\"" : "\"").toString();
  }
}
