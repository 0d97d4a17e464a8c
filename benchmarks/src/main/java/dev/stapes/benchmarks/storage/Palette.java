package dev.stapes.benchmarks.storage;

import java.util.List;

/** The colours of subjects, which can be told apart in light and dark and by most eyes. */
final class Palette {
  private static final List<String> COLOURS =
      List.of(
          "#4477aa", "#ee6677", "#228833", "#aa8800", "#66ccee", "#aa3377", "#888888", "#ee7733");

  private Palette() {}

  private static int index(int subject) {
    return Math.floorMod(subject, COLOURS.size());
  }

  /** The class of what is filled. */
  static String fill(int subject) {
    return "f" + index(subject);
  }

  /** The class of what is a line. */
  static String stroke(int subject) {
    return "s" + index(subject);
  }

  /** Both for all colours. */
  static String style() {
    StringBuilder style = new StringBuilder();
    for (int i = 0; i < COLOURS.size(); i++) {
      String colour = COLOURS.get(i);
      style.append(".f").append(i).append("{fill:").append(colour);
      style.append(";background:").append(colour).append("}\n");
      style.append(".s").append(i).append("{fill:none;stroke-width:2;stroke:").append(colour);
      style.append("}\n");
    }
    return style.toString();
  }
}
