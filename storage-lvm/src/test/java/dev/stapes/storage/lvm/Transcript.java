package dev.stapes.storage.lvm;

import dev.stapes.testkit.Recording;
import java.util.List;
import java.util.Objects;

/**
 * What a version of LVM has said, as it was recorded (see {@link Recording}).
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
    return new Transcript(
        Recording.read(
            Objects.requireNonNull(Transcript.class.getResourceAsStream(name), name), Said::new));
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
