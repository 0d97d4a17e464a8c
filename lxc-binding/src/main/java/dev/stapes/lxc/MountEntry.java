package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;

/**
 * Something that is mounted in a container before its first program runs, {@code lxc.mount.entry}.
 *
 * @param source a path of the host, or the name of a file system
 * @param target where, relative to the root of the container: no leading {@code /}, no {@code ..}
 * @param type such as {@code tmpfs}; {@code none} for a bind mount
 * @param options such as {@code bind}, {@code ro}, {@code create=dir}; not empty, copied
 */
public record MountEntry(String source, String target, String type, List<String> options) {
  /** Validates and copies. */
  public MountEntry {
    options = List.copyOf(options);
    if (source.isEmpty() || source.startsWith("#") || type.isEmpty() || options.isEmpty()) {
      throw StapesException.invalid(
          "mount " + target, "needs a source, a type and options: \"" + source + "\"");
    }
    boolean leaves =
        target.isEmpty()
            || target.startsWith("/")
            || List.of(target.split("/", -1)).stream()
                .anyMatch(part -> part.equals("..") || part.equals(".") || part.isEmpty());
    if (leaves) {
      throw StapesException.invalid(
          "mount", "the target must be a plain path below the root: \"" + target + "\"");
    }
    for (String option : options) {
      if (option.isEmpty() || option.chars().anyMatch(c -> c <= ' ' || c == ',' || c == 0x7f)) {
        throw StapesException.invalid("mount " + target, "not an option: \"" + option + "\"");
      }
    }
  }

  /** A directory or file of the host at a second place. */
  public static MountEntry bind(String source, String target, String... options) {
    List<String> all = new ArrayList<>(List.of("bind"));
    all.addAll(List.of(options));
    return new MountEntry(source, target, "none", all);
  }

  /** The value of {@code lxc.mount.entry}: a line of fstab(5). */
  public String toValue() {
    return escape(source)
        + " "
        + escape(target)
        + " "
        + escape(type)
        + " "
        + String.join(",", options)
        + " 0 0";
  }

  /** getmntent(3) splits at blanks and knows exactly these four escapes. */
  private static String escape(String field) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      switch (c) {
        case ' ' -> out.append("\\040");
        case '\t' -> out.append("\\011");
        case '\n' -> out.append("\\012");
        case '\\' -> out.append("\\134");
        default -> {
          if (Character.isISOControl(c)) {
            throw StapesException.invalid(
                "mount", "a path has the control character " + (int) c + ": \"" + field + "\"");
          }
          out.append(c);
        }
      }
    }
    return out.toString();
  }
}
