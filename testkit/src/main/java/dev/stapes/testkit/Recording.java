package dev.stapes.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What real programs have said, as it was recorded, so that parsers are tested with several
 * versions of them: for each command a line that begins with {@code $}, then what it wrote behind
 * {@code >}, what it complained behind {@code !}, and its exit code behind {@code =}. A line that
 * begins with {@code #} is a comment.
 */
public final class Recording {
  private Recording() {}

  /** Makes something of what one command said. */
  @FunctionalInterface
  public interface Said<T> {
    /**
     * Makes it.
     *
     * @param command with its arguments
     * @param output of it, each line with its end; empty where it had none
     * @param complaint of it, on its standard error, likewise
     * @param code 0 where it succeeded
     */
    T of(String command, String output, String complaint, int code);
  }

  /**
   * Reads one, and closes it.
   *
   * @param in UTF-8
   * @return what was made of the commands, in their order
   * @throws AssertionError where a line has none of these beginnings
   */
  public static <T> List<T> read(InputStream in, Said<T> said) {
    String text;
    try (in) {
      text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<T> all = new ArrayList<>();
    String command = "";
    StringBuilder output = new StringBuilder();
    StringBuilder complaint = new StringBuilder();
    for (String line : text.lines().toList()) {
      String rest = line.length() > 2 ? line.substring(2) : "";
      switch (line.charAt(0)) {
        case '#' -> {}
        case '$' -> command = rest;
        case '>' -> output.append(rest).append('\n');
        case '!' -> complaint.append(rest).append('\n');
        case '=' -> {
          all.add(
              said.of(command, output.toString(), complaint.toString(), Integer.parseInt(rest)));
          output.setLength(0);
          complaint.setLength(0);
        }
        default -> throw new AssertionError(line);
      }
    }
    return all;
  }
}
