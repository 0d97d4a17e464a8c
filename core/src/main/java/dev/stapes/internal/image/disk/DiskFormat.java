package dev.stapes.internal.image.disk;

/** How a file holds a disk. */
public enum DiskFormat {
  /** Byte by byte. */
  RAW("raw", false),
  /** QEMU's own, version 2 or 3. */
  QCOW2("qcow2", true),
  /** VMware's, in one file: monolithicSparse or streamOptimized. */
  VMDK("vmdk", true),
  /** VirtualBox' own. */
  VDI("vdi", true),
  /** Hyper-V's. */
  VHDX("vhdx", true),
  /** Virtual PC's, fixed or dynamic. */
  VHD("vpc", false);

  private final String word;
  private final boolean checkable;

  DiskFormat(String word, boolean checkable) {
    this.word = word;
    this.checkable = checkable;
  }

  /** Whether {@code qemu-img check} knows it. */
  boolean isCheckable() {
    return checkable;
  }

  /** QEMU's word for it. */
  @Override
  public String toString() {
    return word;
  }
}
