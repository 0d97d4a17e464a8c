package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What an image says of itself, the content of {@code metadata.yaml}.
 *
 * @param type what can be made of it
 * @param architecture kernel name of the architecture, such as {@code x86_64}
 * @param createdAt when it was built
 * @param properties such as {@code os}, {@code release}, {@code description}; copied
 */
public record ImageMetadata(
    InstanceType type,
    String architecture,
    Instant createdAt,
    SortedMap<String, String> properties) {
  private static final Pattern KEY = Pattern.compile("[^\\s=\\p{Cntrl}]{1,255}");
  private static final int LONGEST_VALUE = 64 << 10;

  /** Copies. */
  public ImageMetadata {
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
  }

  /** Of a container image. */
  public static ImageMetadata container(
      String architecture, Instant createdAt, Map<String, String> properties) {
    return new ImageMetadata(
        InstanceType.CONTAINER, architecture, createdAt, new TreeMap<>(properties));
  }

  /**
   * Refuses what nobody should call a property, though an image may bring one.
   *
   * @param key 1 to 255 characters, no white space, no control characters, no {@code =}
   * @param value at most 65,536 characters, of control characters only tabs
   * @throws StapesException INVALID
   */
  public static void requireProperty(String key, String value) {
    if (!KEY.matcher(key).matches()) {
      throw StapesException.invalid(
          "image property", "needs a name of 1 to 255 characters without = : \"" + key + "\"");
    }
    if (value.length() > LONGEST_VALUE || value.chars().anyMatch(ImageMetadata::isControl)) {
      throw StapesException.invalid(
          "image property " + key,
          "needs a line of at most " + LONGEST_VALUE + " characters, no control characters");
    }
  }

  private static boolean isControl(int c) {
    return c != '\t' && Character.isISOControl(c);
  }

  /** The same with other properties. */
  public ImageMetadata withProperties(Map<String, String> others) {
    return new ImageMetadata(type, architecture, createdAt, new TreeMap<>(others));
  }
}
