package dev.stapes.internal.image;

import dev.stapes.internal.digest.Sha256;
import java.util.ArrayList;
import java.util.List;

/**
 * Which files an image has.
 *
 * @param split whether it has two, one of them for the root file system alone
 * @param parts of an OCI image, beside its manifest
 */
record ImageForm(boolean split, List<Part> parts) {
  /** One file. */
  static final ImageForm UNIFIED = new ImageForm(false, List.of());

  ImageForm {
    parts = List.copyOf(parts);
  }

  /**
   * A part of an OCI image.
   *
   * @param digest SHA-256, 64 lower-case hex digits
   * @param layer whether it is a layer of the root file system
   */
  record Part(String digest, boolean layer) {}

  /**
   * Names for the root file systems that the layers make, from the lowest on: each stands for a
   * layer and all below it, whatever image they belong to. Empty where there are no layers.
   */
  List<String> chain() {
    List<String> chain = new ArrayList<>();
    String below = "";
    for (Part part : parts) {
      if (part.layer()) {
        below = Sha256.hex(below + " " + part.digest());
        chain.add(below);
      }
    }
    return chain;
  }

  /**
   * The name of the volume with the whole root file system.
   *
   * @param fingerprint of the image
   */
  String volume(String fingerprint) {
    List<String> chain = chain();
    return chain.isEmpty() ? fingerprint : chain.get(chain.size() - 1);
  }
}
