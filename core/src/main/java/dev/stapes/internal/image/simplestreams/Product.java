package dev.stapes.internal.image.simplestreams;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/**
 * A system for an architecture, in all its versions.
 *
 * @param name the server's name for it
 * @param aliases names for it
 * @param facts what else is said of it: {@code os}, {@code release}, {@code release_title}, {@code
 *     version}, {@code arch}, {@code variant}
 * @param requirements of instances
 */
record Product(
    String name,
    List<String> aliases,
    Map<String, String> facts,
    SortedMap<String, String> requirements,
    List<Version> versions) {

  /** What is said of it; empty where it is not. */
  String fact(String fact) {
    return facts.getOrDefault(fact, "");
  }

  /**
   * One build.
   *
   * @param serial its name
   * @param label such as {@code release}, may be empty
   */
  record Version(String serial, String label, List<Item> items) {
    /** The first file of a type. */
    Optional<Item> item(String type) {
      return items.stream().filter(item -> item.type().equals(type) && item.isWhole()).findFirst();
    }
  }

  /**
   * A file.
   *
   * @param type such as {@code squashfs}
   * @param sha256 64 hex digits, or empty
   * @param size bytes, or -1
   * @param combined fingerprints together with other files, by member such as {@code
   *     combined_squashfs_sha256}
   * @param combinedType of the instance where this is all of an image, may be empty
   */
  record Item(
      String type,
      String path,
      String sha256,
      long size,
      Map<String, String> combined,
      String combinedType) {
    /** Whether enough is known to bring it. */
    boolean isWhole() {
      return !path.isEmpty() && !sha256.isEmpty() && size >= 0;
    }
  }
}
