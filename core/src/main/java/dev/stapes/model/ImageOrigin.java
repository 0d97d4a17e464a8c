package dev.stapes.model;

import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where an image can be asked for again: what Incus calls its update source. Without anything that
 * is secret.
 *
 * @param protocol how it is asked
 * @param server its address: http or https; of a registry host and port
 * @param alias what the image is called there, such as {@code debian/13} or {@code team/app:1.2};
 *     empty where the address says all
 * @param options what else belongs to it, such as {@code architecture}; copied
 */
public record ImageOrigin(
    Protocol protocol, String server, String alias, SortedMap<String, String> options) {
  /** How a server is asked. */
  public enum Protocol {
    /** A server that offers images. */
    SIMPLESTREAMS,
    /** A file at an address. */
    URL,
    /** A registry of OCI images. */
    OCI;

    /** Such as {@code simplestreams}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Copies. */
  public ImageOrigin {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  /** With options in any order. */
  public static ImageOrigin of(
      Protocol protocol, String server, String alias, Map<String, String> options) {
    return new ImageOrigin(protocol, server, alias, new TreeMap<>(options));
  }
}
