package dev.stapes.model;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The disk of a virtual machine in a file that knows nothing of images.
 *
 * @param path a disk, or an OVA
 * @param architecture kernel name, such as {@code aarch64}; empty: this machine's own
 * @param properties of the image, such as {@code os} and {@code release}; copied
 */
public record DiskFileSpec(
    Path path, Optional<String> architecture, SortedMap<String, String> properties) {
  /** Validates and copies. */
  public DiskFileSpec {
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
    properties.forEach(ImageMetadata::requireProperty);
  }

  /** For this machine, with nothing said of it. */
  public static DiskFileSpec of(Path path) {
    return new DiskFileSpec(path, Optional.empty(), new TreeMap<>());
  }

  /** The same for another architecture than the machine's own. */
  public DiskFileSpec architecture(String kernelName) {
    return new DiskFileSpec(path, Optional.of(kernelName), properties);
  }

  /** The same with one more property, such as {@code description}. */
  public DiskFileSpec property(String key, String value) {
    return properties(Map.of(key, value));
  }

  /** The same with more properties. */
  public DiskFileSpec properties(Map<String, String> more) {
    SortedMap<String, String> all = new TreeMap<>(properties);
    all.putAll(more);
    return new DiskFileSpec(path, architecture, all);
  }

  /** The same of a system, such as {@code Debian} and {@code trixie}. */
  public DiskFileSpec system(String os, String release) {
    return properties(Map.of("os", os, "release", release));
  }
}
