package dev.stapes.storage.lvm;

import java.nio.file.Path;

/** What is on block devices. */
interface DeviceContents {
  /** Makes all of it zeros; it is on the disk then. */
  void zero(Path device);

  /** Makes a device the same as another one, and zeros behind that; it is on the disk then. */
  void copy(Path from, Path to);
}
