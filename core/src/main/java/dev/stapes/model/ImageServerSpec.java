package dev.stapes.model;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * A server that offers images.
 *
 * @param address http or https, below which the server's files are
 * @param mirrors further addresses of the same files, asked in this order where one does not
 *     answer; copied
 * @param architecture of the images, such as {@code aarch64} or {@code arm64}; empty for that of
 *     this machine
 * @param forms of the files that are taken, the preferred one first; copied
 */
public record ImageServerSpec(
    URI address, List<URI> mirrors, Optional<String> architecture, List<Form> forms) {
  /** In which files a container image comes. */
  public enum Form {
    /** Metadata, and a squashfs file system. */
    SQUASHFS,
    /** Metadata, and a tar of the root file system. */
    TAR,
    /** One archive of both. */
    UNIFIED
  }

  /** Validates and copies. */
  public ImageServerSpec {
    mirrors = List.copyOf(mirrors);
    forms = List.copyOf(forms);
    if (forms.isEmpty() || new HashSet<>(forms).size() < forms.size()) {
      throw StapesException.invalid("image server", "each form once, one at least: " + forms);
    }
  }

  /** Any form, squashfs preferred. */
  public static ImageServerSpec of(URI address) {
    return new ImageServerSpec(
        address, List.of(), Optional.empty(), List.of(Form.SQUASHFS, Form.TAR, Form.UNIFIED));
  }

  /** The same with one more mirror. */
  public ImageServerSpec withMirror(URI mirror) {
    List<URI> all = new ArrayList<>(mirrors);
    all.add(mirror);
    return new ImageServerSpec(address, all, architecture, forms);
  }

  /** The same for another architecture. */
  public ImageServerSpec withArchitecture(String name) {
    return new ImageServerSpec(address, mirrors, Optional.of(name), forms);
  }

  /** The same with these forms only, the preferred one first. */
  public ImageServerSpec withForms(Form... preferredFirst) {
    return new ImageServerSpec(address, mirrors, architecture, List.of(preferredFirst));
  }
}
