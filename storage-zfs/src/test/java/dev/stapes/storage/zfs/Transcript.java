package dev.stapes.storage.zfs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What the programs of a version of OpenZFS have said, as it was recorded: for each command a line
 * that begins with {@code $}, then what it wrote behind {@code >}, what it complained behind {@code
 * !}, and its exit code behind {@code =}.
 *
 * @param said one after the other
 */
record Transcript(List<Said> said) {
  /** Those that there are. */
  static final List<String> VERSIONS = List.of("2.1.11", "2.3.2");

  /**
   * What one command said.
   *
   * @param command with its arguments
   * @param output of it
   * @param complaint of it; empty where it had none
   * @param code 0 where it succeeded
   */
  record Said(String command, String output, String complaint, int code) {}

  /** That of a version. */
  static Transcript of(String version) {
    String name = "openzfs-" + version + ".txt";
    try (InputStream in =
        Objects.requireNonNull(Transcript.class.getResourceAsStream(name), name)) {
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Transcript parse(String text) {
    List<Said> all = new ArrayList<>();
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
              new Said(command, output.toString(), complaint.toString(), Integer.parseInt(rest)));
          output.setLength(0);
          complaint.setLength(0);
        }
        default -> throw new AssertionError(line);
      }
    }
    return new Transcript(all);
  }

  /** All that commands with this beginning said. */
  List<Said> all(String beginning) {
    List<Said> found = said.stream().filter(each -> each.command().startsWith(beginning)).toList();
    if (found.isEmpty()) {
      throw new AssertionError("not recorded: " + beginning);
    }
    return found;
  }

  /** What the first of them wrote. */
  String output(String beginning) {
    return all(beginning).get(0).output();
  }
}
