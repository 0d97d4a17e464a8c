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
  SQUASHFS("squashfs");

  private final String label;

  UnpackPath(String label) {
    this.label = label;
  }

  /** Its name in tables and results. */
  String label() {
    return label;
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
