package dev.stapes.storage.lvm;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a version of LVM has said, as it was recorded: for each command a line that begins with
 * {@code $}, then what it wrote behind {@code >}, what it complained behind {@code !}, and its exit
 * code behind {@code =}.
 *
 * @param said one after the other
 */
record Transcript(List<Said> said) {
  /** Those that there are: of Debian 12 and of Debian 13. */
  static final List<String> VERSIONS = List.of("2.03.16", "2.03.31");

  /**
   * What one command said.
   *
   * @param command with its arguments
   * @param output of it
   * @param complaint of it; empty where it had none
   * @param code 0 where it succeeded
   */
  record Said(String command, String output, String complaint, int code) {
    /** The rows of a report. */
    List<LvmRow> rows() {
      String kind = command.startsWith("lvm ") ? command.substring(4, 6) : "";
      try {
        return LvmReport.rows(kind, output);
      } catch (LvmReport.Malformed e) {
        throw new AssertionError(command, e);
      }
    }
  }

  /** That of a version. */
  static Transcript of(String version) {
    String name = "lvm-" + version + ".txt";
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

  /** All that a command said with such last words. */
  List<Said> all(String command, String end) {
    List<Said> found =
        said.stream()
            .filter(each -> each.command().startsWith("lvm " + command))
            .filter(each -> each.command().endsWith(end))
            .toList();
    if (found.isEmpty()) {
      throw new AssertionError("not recorded: " + command + " ... " + end);
    }
    return found;
  }

  /** What the first of a command wrote. */
  String output(String command) {
    return all(command, "").get(0).output();
  }

  /** The rows of the first report. */
  List<LvmRow> rows(String command, String end) {
    return all(command, end).get(0).rows();
  }
}
