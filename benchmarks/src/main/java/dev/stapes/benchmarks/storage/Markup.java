package dev.stapes.benchmarks.storage;

import java.util.ArrayDeque;
import java.util.Deque;

/** HTML or SVG in the making, well-formed as XML: what is opened is closed, all text is escaped. */
final class Markup {
  private final StringBuilder text = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /**
   * Opens an element.
   *
   * @param attributes names and values in turns
   */
  Markup open(String tag, String... attributes) {
    start(tag, attributes);
    text.append('>');
    open.push(tag);
    return this;
  }

  /**
   * Opens an SVG of a size in pixels.
   *
   * @param title for who does not see it
   */
  Markup openPicture(String title, int width, int height) {
    return open(
        "svg",
        "viewBox",
        "0 0 " + width + " " + height,
        "width",
        Integer.toString(width),
        "height",
        Integer.toString(height),
        "role",
        "img",
        "aria-label",
        title);
  }

  /** Closes the element that was opened last. */
  Markup close() {
    text.append("</").append(open.pop()).append(">\n");
    return this;
  }

  /** An element with nothing in it. */
  Markup leaf(String tag, String... attributes) {
    start(tag, attributes);
    text.append("/>\n");
    return this;
  }

  /** An element with text in it. */
  Markup element(String tag, String content, String... attributes) {
    return open(tag, attributes).text(content).close();
  }

  /** Text. */
  Markup text(String content) {
    escape(content);
    return this;
  }

  /** What was made elsewhere in the same way. */
  Markup add(Markup part) {
    text.append(part);
    return this;
  }

  private void start(String tag, String... attributes) {
    text.append('<').append(tag);
    for (int i = 0; i + 1 < attributes.length; i += 2) {
      text.append(' ').append(attributes[i]).append("=\"");
      escape(attributes[i + 1]);
      text.append('"');
    }
  }

  private void escape(String content) {
    content
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> text.append("&amp;");
                case '<' -> text.append("&lt;");
                case '>' -> text.append("&gt;");
                case '"' -> text.append("&quot;");
                default -> text.appendCodePoint(isAllowed(c) ? c : '\ufffd');
              }
            });
  }

  /** XML has no other control characters, and no halves of surrogate pairs. */
  private static boolean isAllowed(int c) {
    return c == '\t'
        || c == '\n'
        || (c >= ' ' && (c < 0xd800 || c > 0xdfff) && c < 0xfffe)
        || c > 0xffff;
  }

  /**
   * All of it.
   *
   * @throws IllegalStateException where something is still open
   */
  @Override
  public String toString() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("not closed: " + open);
    }
    return text.toString();
  }
}
