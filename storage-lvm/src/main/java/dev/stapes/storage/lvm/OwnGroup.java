package dev.stapes.storage.lvm;

/** A volume group of the pool's own, on one device. */
final class OwnGroup {
  private static final long MIB = 1L << 20;

  private final PoolContext pool;

  OwnGroup(PoolContext pool) {
    this.pool = pool;
  }

  /**
   * Makes the group with what bears the mark.
   *
   * @param device blank
   * @param size of it, in bytes
   * @param mark of both
   */
  PoolVolumes create(Lvm lvm, String device, long size, String mark) {
    String group = LvmNames.fresh();
    lvm.run(
        "vgcreate",
        "--setautoactivation",
        "n",
        "--physicalextentsize",
        "1m",
        "--metadatasize",
        textArea(size) / 1024 + "k",
        "--addtag",
        VolumeTags.group(mark),
        group,
        device);
    return Spaces.make(pool, lvm, group, lvm.group(group).free(), mark);
  }

  /**
   * Room for the group's description, of which there are two texts at a time: half a KiB or so for
   * each volume.
   */
  private static long textArea(long size) {
    return Math.min(Math.max(size / 256 / MIB * MIB, MIB), 64 * MIB);
  }

  /** Removes the group with all that is in it. */
  static void remove(Lvm lvm, String group) {
    lvm.run("vgremove", "--yes", "--force", group);
  }

  /** Removes the groups with a mark. */
  static void sweep(Lvm lvm, String mark) {
    for (String group : lvm.groupsWith(VolumeTags.group(mark))) {
      remove(lvm, group);
    }
  }

  /** Takes what the device has more. */
  static void grow(Lvm lvm, String device) {
    lvm.run("pvresize", device);
  }
}
