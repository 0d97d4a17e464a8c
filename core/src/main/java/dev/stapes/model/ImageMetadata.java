package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

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
}
