package dev.stapes.storage.fs;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a volume of the overlay driver is: a small text file that names layers.
 *
 * @param upper the layer that takes changes; empty: it refuses them
 * @param lowers the layers below, the uppermost first; nobody changes them any more
 */
record LayeredVolume(Optional<String> upper, List<String> lowers) {
  private static final String FIRST_LINE = "stapes-volume 1";
  private static final String UPPER = "upper ";
  private static final String LOWER = "lower ";
  private static final Pattern ID = Pattern.compile("[0-9a-z]{1,32}");

  LayeredVolume {
    lowers = List.copyOf(lowers);
  }

  /** Whether changes are refused. */
  boolean readOnly() {
    return upper.isEmpty();
  }

  /** All layers, the uppermost first. */
  List<String> layers() {
    List<String> all = new ArrayList<>();
    upper.ifPresent(all::add);
    all.addAll(lowers);
    return all;
  }

  String text() {
    StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
    upper.ifPresent(id -> text.append(UPPER).append(id).append('\n'));
    lowers.forEach(id -> text.append(LOWER).append(id).append('\n'));
    return text.toString();
  }

  /**
   * Reads it again.
   *
   * @return empty where it is nothing that {@link #text} writes
   */
  static Optional<LayeredVolume> parse(String text) {
    String[] lines = text.split("\n", -1);
    if (!lines[0].equals(FIRST_LINE) || !lines[lines.length - 1].isEmpty()) {
      return Optional.empty();
    }
    Optional<String> upper = Optional.empty();
    List<String> lowers = new ArrayList<>();
    for (int i = 1; i < lines.length - 1; i++) {
      boolean top = i == 1 && lines[i].startsWith(UPPER);
      if (!top && !lines[i].startsWith(LOWER)) {
        return Optional.empty();
      }
      String id = lines[i].substring(UPPER.length());
      if (!ID.matcher(id).matches()) {
        return Optional.empty();
      }
      if (top) {
        upper = Optional.of(id);
      } else {
        lowers.add(id);
      }
    }
    boolean whole = upper.isPresent() || !lowers.isEmpty();
    return whole ? Optional.of(new LayeredVolume(upper, lowers)) : Optional.empty();
  }
}
