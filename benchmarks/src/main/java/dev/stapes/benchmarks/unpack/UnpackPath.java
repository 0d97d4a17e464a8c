package dev.stapes.benchmarks.unpack;

import java.util.Arrays;
import java.util.List;

/** What is measured. */
enum UnpackPath {
  /** A tar in one zstd frame into an empty subvolume. */
  TAR_ZST("tar.zst"),
  /** A tar in one gzip member. */
  TAR_GZ("tar.gz"),
  /** A tar in an xz stream of several blocks. */
  TAR_XZ("tar.xz"),
  /** A squashfs compressed with zstd. */
  SQUASHFS("squashfs"),
  /** Create and start the first instance of a squashfs image. */
  INSTANT("instant"),
  /** An OCI image, of which all layers but one are there, from a registry. */
  OCI_SHARED("oci-shared");

  private final String label;

  UnpackPath(String label) {
    this.label = label;
  }

  /** Its name in tables and results. */
  String label() {
    return label;
  }

  /** Whether one file is unpacked, and nothing else done. */
  boolean ofFile() {
    return this != INSTANT && this != OCI_SHARED;
  }

  /**
   * The path of a label.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  static UnpackPath of(String label) {
    return Arrays.stream(values())
        .filter(path -> path.label.equals(label))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no path \"" + label + "\": one of " + labels()));
  }

  static List<String> labels() {
    return Arrays.stream(values()).map(UnpackPath::label).toList();
  }
}
