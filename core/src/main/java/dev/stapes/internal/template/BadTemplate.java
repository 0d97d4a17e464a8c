package dev.stapes.internal.template;

import dev.stapes.model.StapesException;

/** The errors of templates: all say in which line. */
final class BadTemplate {
  private static final int QUOTED = 80;

  private BadTemplate() {}

  /** Something that is wrong. */
  static StapesException at(int line, String problem) {
    return StapesException.invalid("line " + line, problem);
  }

  /** Something that other engines have. */
  static StapesException unsupported(int line, String construct) {
    return new StapesException(
        StapesException.Kind.UNSUPPORTED,
        "line " + line,
        "cannot be used here: " + quote(construct));
  }

  /** A text of a template in an error: short, on one line. */
  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    text.codePoints()
        .limit(QUOTED)
        .forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? ' ' : c));
    return out.append(text.length() > QUOTED ? "...\"" : "\"").toString();
  }
}
