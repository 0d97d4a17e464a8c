package dev.stapes.linux.block;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.FileStat;

/** Tells inodes apart, also across subvolumes. */
record InodeKey(DeviceNumber device, long inode) {
  static InodeKey of(FileStat stat) {
    return new InodeKey(stat.device(), stat.inode());
  }
}
