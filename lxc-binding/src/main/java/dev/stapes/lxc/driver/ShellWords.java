package dev.stapes.lxc.driver;

import java.util.Collection;
import java.util.stream.Collectors;

/** Text as words of a POSIX shell. */
final class ShellWords {
  private ShellWords() {}

  /**
   * A word that a shell reads as exactly this text.
   *
   * @param text without NUL
   */
  static String quote(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a NUL character cannot be passed to a program");
    }
    return "'" + text.replace("'", "'\\''") + "'";
  }

  /** Words with blanks between them. */
  static String quote(Collection<String> words) {
    return words.stream().map(ShellWords::quote).collect(Collectors.joining(" "));
  }
}
