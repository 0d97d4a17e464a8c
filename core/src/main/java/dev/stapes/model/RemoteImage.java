package dev.stapes.model;

import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a server offers.
 *
 * @param product the server's name for what this is one version of
 * @param aliases names for it, which other versions and architectures have, too; copied
 * @param fingerprint SHA-256 of its file, or of its two files one after the other
 * @param architecture kernel name of the architecture, such as {@code x86_64}
 * @param type what can be made of it
 * @param serial the name of the version, usually a date
 * @param size of its files
 * @param properties such as {@code os}, {@code release}, {@code description}; copied
 */
public record RemoteImage(
    String product,
    SortedSet<String> aliases,
    String fingerprint,
    String architecture,
    InstanceType type,
    String serial,
    Size size,
    SortedMap<String, String> properties) {
  /** Copies. */
  public RemoteImage {
    aliases = Collections.unmodifiableSortedSet(new TreeSet<>(aliases));
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
  }
}
