package dev.stapes.storage.lvm;

/**
 * Of a volume group.
 *
 * @param free bytes
 * @param extent bytes of an extent
 */
record VolumeGroup(long free, long extent) {
  static final String FIELDS = "vg_free,vg_extent_size";

  static VolumeGroup of(LvmRow row) throws LvmReport.Malformed {
    return new VolumeGroup(row.number("vg_free"), row.number("vg_extent_size"));
  }
}
