package dev.stapes.spi;

import dev.stapes.model.StapesException;

/**
 * Names a volume in its pool.
 *
 * @param kind what it is for
 * @param name 1 to 100 lower-case letters, digits, dots, underscores or dashes, starting with a
 *     letter or digit
 */
public record VolumeId(Kind kind, String name) implements Comparable<VolumeId> {
  private static final int MOST = 100;

  /** What a volume is for. */
  public enum Kind {
    /** Root disk of an instance. */
    INSTANCE("instances"),
    /** Root disk of an instance, or a user's own volume, as it was. */
    SNAPSHOT("snapshots"),
    /** An unpacked image. */
    IMAGE("images"),
    /** A user's own. */
    CUSTOM("custom");

    private final String directory;

    Kind(String directory) {
      this.directory = directory;
    }

    /** The plural, which drivers use as a directory or dataset name. */
    public String directory() {
      return directory;
    }
  }

  /** Refuses what could not be part of a path or a dataset name. */
  public VolumeId {
    if (!isName(name)) {
      throw StapesException.invalid("volume", "not a volume id: \"" + name + "\"");
    }
  }

  /** Whether a volume can be called so. By hand: there may be tens of thousands to look at. */
  public static boolean isName(String text) {
    if (text.isEmpty() || text.length() > MOST || !isLetterOrDigit(text.charAt(0))) {
      return false;
    }
    for (int i = 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!isLetterOrDigit(c) && c != '.' && c != '_' && c != '-') {
        return false;
      }
    }
    return true;
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }

  @Override
  public int compareTo(VolumeId other) {
    int byKind = kind.compareTo(other.kind);
    return byKind != 0 ? byKind : name.compareTo(other.name);
  }

  /** Such as {@code instances/abc}. */
  @Override
  public String toString() {
    return kind.directory() + "/" + name;
  }
}
