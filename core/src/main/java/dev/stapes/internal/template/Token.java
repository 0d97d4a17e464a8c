package dev.stapes.internal.template;

/**
 * A word of an expression.
 *
 * @param kind what it is
 * @param text as it stands there; of a string what it says
 */
record Token(Kind kind, String text) {
  /** What it is. */
  enum Kind {
    /** A name or a word such as {@code and}. */
    NAME,
    /** A whole number. */
    NUMBER,
    /** A string without its quotes. */
    STRING,
    /** All else. */
    SYMBOL
  }

  boolean is(String symbol) {
    return kind == Kind.SYMBOL && text.equals(symbol);
  }

  boolean isWord(String word) {
    return kind == Kind.NAME && text.equals(word);
  }

  @Override
  public String toString() {
    return kind == Kind.STRING ? "\"" + text + "\"" : text;
  }
}
