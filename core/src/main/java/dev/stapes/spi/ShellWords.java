package dev.stapes.spi;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Text as words of a POSIX shell, for drivers. */
public final class ShellWords {
  private ShellWords() {}

  /**
   * A word that a shell reads as exactly this text.
   *
   * @param text without NUL
   */
  public static String quote(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a NUL character cannot be passed to a program");
    }
    return "'" + text.replace("'", "'\\''") + "'";
  }

  /** Words with blanks between them. */
  public static String quote(Collection<String> words) {
    return words.stream().map(ShellWords::quote).collect(Collectors.joining(" "));
  }

  /** Lines that export variables. */
  public static String exports(Map<String, String> variables) {
    StringBuilder text = new StringBuilder();
    variables.forEach(
        (name, value) ->
            text.append("export ").append(name).append('=').append(quote(value)).append('\n'));
    return text.toString();
  }

  /**
   * The words of a text, as a shell reads it that knows nothing but quotes and backslashes.
   *
   * @throws StapesException INVALID where a quote is open at the end
   */
  public static List<String> split(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inWord = false;
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean escapes = c == '\\' && i + 1 < text.length() && quote != '\'';
      if (escapes && (quote == 0 || "\\\"$`".indexOf(text.charAt(i + 1)) >= 0)) {
        i++;
        word.append(text.charAt(i));
        inWord = true;
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote != 0) {
        word.append(c);
      } else if (c == '\'' || c == '"') {
        quote = c;
        inWord = true;
      } else if (c == ' ' || c == '\t' || c == '\n') {
        if (inWord) {
          words.add(word.toString());
          word.setLength(0);
        }
        inWord = false;
      } else {
        word.append(c);
        inWord = true;
      }
    }
    if (quote != 0) {
      throw StapesException.invalid("words", "a quote is open at the end: " + text);
    }
    if (inWord) {
      words.add(word.toString());
    }
    return words;
  }
}
