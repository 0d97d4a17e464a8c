package dev.stapes.model;

import java.util.regex.Pattern;

/** The rules for names, the same as Incus's so that names carry over. Never instantiated. */
public final class Names {
  private static final Pattern HOSTNAME =
      Pattern.compile("[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,62})");
  private static final Pattern ALIAS = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._/+-]{0,127})");

  private Names() {}

  /**
   * An instance name is a host name label: 1 to 63 letters, digits and dashes, starting with a
   * letter and not ending with a dash (RFC 1123, and Incus's own rule).
   *
   * @return the name
   * @throws StapesException INVALID, quoting the name
   */
  public static String instance(String name) {
    return check(
        HOSTNAME,
        "instance name",
        name,
        "1 to 63 letters, digits or dashes, starting with a letter, not ending with a dash");
  }

  /** A snapshot name: 1 to 63 letters, digits, dots, underscores and dashes. */
  public static String snapshot(String name) {
    return check(
        LABEL,
        "snapshot name",
        name,
        "1 to 63 letters, digits, dots, underscores or dashes, starting with a letter or digit");
  }

  /** A storage pool name. */
  public static String pool(String name) {
    return check(
        LABEL,
        "pool name",
        name,
        "1 to 63 letters, digits, dots, underscores or dashes, starting with a letter or digit");
  }

  /** A custom volume name. */
  public static String volume(String name) {
    return check(
        LABEL,
        "volume name",
        name,
        "1 to 63 letters, digits, dots, underscores or dashes, starting with a letter or digit");
  }

  /** A device name. */
  public static String device(String name) {
    return check(
        LABEL,
        "device name",
        name,
        "1 to 63 letters, digits, dots, underscores or dashes, starting with a letter or digit");
  }

  /** An image alias such as {@code debian/13}: up to 128 letters, digits, and {@code . _ / + -}. */
  public static String alias(String name) {
    if (name.contains("..") || name.endsWith("/")) {
      throw StapesException.invalid("image alias", "not an alias: \"" + name + "\"");
    }
    return check(
        ALIAS,
        "image alias",
        name,
        "1 to 128 letters, digits or . _ / + -, starting with a letter or digit");
  }

  private static String check(Pattern pattern, String what, String name, String rule) {
    if (!pattern.matcher(name).matches()) {
      throw StapesException.invalid(what, "must be " + rule + ": \"" + name + "\"");
    }
    return name;
  }
}
