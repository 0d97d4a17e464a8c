package dev.stapes.model;

import java.net.URI;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * An image at an address.
 *
 * @param archive http or https, of all of the image, or of the first file of a split one
 * @param rootfs of the second file of a split image
 * @param headers of requests, such as {@code Authorization}. They are secrets: nobody is told them
 *     but the scheme, host and port of {@code archive}, whatever that redirects to; copied
 * @param fingerprint which the image must have: SHA-256 of its file, or of both one after the
 *     other, 64 lower-case hex digits
 */
public record ImageUrl(
    URI archive,
    Optional<URI> rootfs,
    SortedMap<String, String> headers,
    Optional<String> fingerprint) {
  private static final Pattern FINGERPRINT = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}");
  private static final Pattern VALUE =
      Pattern.compile("[\\x21-\\x7e]([\\t\\x20-\\x7e]{0,8190}[\\x21-\\x7e])?");

  /** Headers that are of the connection. */
  private static final Pattern RESERVED =
      Pattern.compile(
          "(?i)connection|content-length|expect|host|upgrade|range|if-.*|transfer-encoding");

  /** Validates and copies. */
  public ImageUrl {
    headers = Collections.unmodifiableSortedMap(new TreeMap<>(headers));
    headers.forEach(ImageUrl::requireHeader);
    if (fingerprint.isPresent() && !isFingerprint(fingerprint.get())) {
      throw StapesException.invalid(
          "fingerprint", "must be 64 lower-case hex digits: \"" + fingerprint.get() + "\"");
    }
  }

  /** One file that anybody may have. */
  public static ImageUrl of(URI archive) {
    return new ImageUrl(archive, Optional.empty(), new TreeMap<>(), Optional.empty());
  }

  /** The same with the root file system in a file of its own. */
  public ImageUrl withRootfs(URI address) {
    return new ImageUrl(archive, Optional.of(address), headers, fingerprint);
  }

  /** The same with more headers. */
  public ImageUrl withHeaders(Map<String, String> more) {
    SortedMap<String, String> all = new TreeMap<>(headers);
    all.putAll(more);
    return new ImageUrl(archive, rootfs, all, fingerprint);
  }

  /** The same, if it is this image. */
  public ImageUrl withFingerprint(String expected) {
    return new ImageUrl(archive, rootfs, headers, Optional.of(expected));
  }

  /** Whether a text may be the fingerprint of an image. */
  public static boolean isFingerprint(String text) {
    return FINGERPRINT.matcher(text).matches();
  }

  private static void requireHeader(String name, String value) {
    if (!NAME.matcher(name).matches() || RESERVED.matcher(name).matches()) {
      throw StapesException.invalid("header", "cannot be given: \"" + name + "\"");
    }
    if (!VALUE.matcher(value).matches()) {
      throw StapesException.invalid(
          "header " + name, "must have 1 to 8192 printable ASCII characters (not quoted here)");
    }
  }

  /** Without the values of headers. */
  @Override
  public String toString() {
    return "ImageUrl[archive="
        + archive
        + ", rootfs="
        + rootfs
        + ", headers="
        + headers.keySet()
        + ", fingerprint="
        + fingerprint
        + "]";
  }
}
