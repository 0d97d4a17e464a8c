package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Labelled;

/** What is measured. */
enum UnpackPath implements Labelled {
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

  @Override
  public String label() {
    return label;
  }

  /** Whether one file is unpacked, and nothing else done. */
  boolean ofFile() {
    return this != INSTANT && this != OCI_SHARED;
  }
}
