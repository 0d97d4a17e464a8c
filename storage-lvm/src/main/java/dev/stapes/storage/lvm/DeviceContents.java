package dev.stapes.storage.lvm;

import java.nio.file.Path;

/**
 * What is on block devices. All that is long work looks again and again whether it may go on: each
 * time that {@link #LOOK} bytes more are on the disk. What a look throws ends it.
 */
interface DeviceContents {
  /** A part of what is kept free below a loop file, so that some may write at once. */
  long LOOK = 16L << 20;

  /** Makes all of it zeros; it is on the disk then. */
  default void zero(Path device, Runnable look) {
    zero(device, 0, look);
  }

  /**
   * The same of what is behind a part of it.
   *
   * @param from bytes that stay
   */
  void zero(Path device, long from, Runnable look);

  /** Makes a device the same as another one, and zeros behind that; it is on the disk then. */
  void copy(Path from, Path to, Runnable look);
}
