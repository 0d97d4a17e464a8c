package dev.stapes.storage.lvm;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a pool is, as a tag of what bears its mark says.
 *
 * @param sharer who has it there, where machines share the group
 * @param directory of the pool
 */
record Placement(Optional<Sharer> sharer, Path directory) {
  private static final String NAME = "stapes.directory";
  private static final Pattern FORM =
      Pattern.compile(Pattern.quote(NAME) + "(?:\\.(\\d{1,9})=(stapes_[0-9a-f]{32})|=)(/.*)");

  /** The tag that says so. */
  String tag() {
    String who = sharer.map(one -> "." + one.machine() + "=" + one.owner()).orElse("=");
    return NAME + who + TagText.encode(directory.toString());
  }

  /** Reads a tag; empty where it says something else. */
  static Optional<Placement> of(String tag) throws LvmReport.Malformed {
    Matcher matcher = FORM.matcher(tag);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    Optional<Sharer> sharer =
        Optional.ofNullable(matcher.group(1))
            .map(number -> new Sharer(Integer.parseInt(number), matcher.group(2)));
    return Optional.of(new Placement(sharer, Path.of(TagText.decode(matcher.group(3)))));
  }

  /** Whether the machine with a number has it, or there are no machines with numbers. */
  boolean isOf(Optional<Sharer> who) {
    return sharer.map(Sharer::machine).equals(who.map(Sharer::machine));
  }
}
