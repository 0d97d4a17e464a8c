package dev.stapes.internal.image.oci;

import java.util.List;
import java.util.stream.Collectors;

/** Arguments in one text, quoted as a POSIX shell would read them. */
final class Words {
  private Words() {}

  static String join(List<String> words) {
    return words.stream().map(Words::quote).collect(Collectors.joining(" "));
  }

  private static String quote(String word) {
    if (word.matches("[A-Za-z0-9_@%+=:,./-]+")) {
      return word;
    }
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
