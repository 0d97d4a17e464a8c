package dev.stapes.storage.zfs;

import dev.stapes.testkit.Recording;
import java.util.List;
import java.util.Objects;

/**
 * What the programs of a version of OpenZFS have said, as it was recorded (see {@link Recording}).
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
    return new Transcript(
        Recording.read(
            Objects.requireNonNull(Transcript.class.getResourceAsStream(name), name), Said::new));
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
