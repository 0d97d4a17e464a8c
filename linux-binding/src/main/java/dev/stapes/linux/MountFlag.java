package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import java.util.Set;

/** What a mount forbids or leaves out; see mount(2) and mount_setattr(2). */
public enum MountFlag {
  READ_ONLY(Constants.MS_RDONLY, Constants.MOUNT_ATTR_RDONLY),
  NO_SUID(Constants.MS_NOSUID, Constants.MOUNT_ATTR_NOSUID),
  NO_DEVICES(Constants.MS_NODEV, Constants.MOUNT_ATTR_NODEV),
  NO_EXEC(Constants.MS_NOEXEC, Constants.MOUNT_ATTR_NOEXEC),
  NO_ACCESS_TIMES(Constants.MS_NOATIME, Constants.MOUNT_ATTR_NOATIME);

  private final int mountBits;
  private final int attributeBits;

  MountFlag(int mountBits, int attributeBits) {
    this.mountBits = mountBits;
    this.attributeBits = attributeBits;
  }

  static int mountBits(Set<MountFlag> flags) {
    return flags.stream().mapToInt(flag -> flag.mountBits).reduce(0, (a, b) -> a | b);
  }

  /** Access times are one choice of several: setting one means to clear the others. */
  static int attributesToClear(Set<MountFlag> set, Set<MountFlag> clear) {
    int bits = attributeBits(clear);
    boolean times = set.contains(NO_ACCESS_TIMES) || clear.contains(NO_ACCESS_TIMES);
    return times ? bits | Constants.MOUNT_ATTR__ATIME : bits;
  }

  static int attributeBits(Set<MountFlag> flags) {
    return flags.stream().mapToInt(flag -> flag.attributeBits).reduce(0, (a, b) -> a | b);
  }
}
