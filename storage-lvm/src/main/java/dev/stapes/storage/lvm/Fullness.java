package dev.stapes.storage.lvm;

import java.util.Optional;

/**
 * How full a thin pool is.
 *
 * @param size of its data, in bytes
 * @param data percent of it that is in use
 * @param metadataSize in bytes
 * @param metadata percent of that
 */
record Fullness(long size, double data, long metadataSize, double metadata) {
  /** Beyond this nothing new is made: what there is needs the rest. */
  static final double MOST_DATA = 95;

  /** The kernel makes a pool read-only whose metadata is full. */
  static final double MOST_METADATA = 90;

  /** From here on the pool grows by itself, where it may. */
  static final double TIGHT_DATA = 80;

  /** From here on metadata gets more room. */
  static final double TIGHT_METADATA = 75;

  static final String FIELDS = "lv_size,data_percent,lv_metadata_size,metadata_percent";

  /** Of a thin pool's row. */
  static Fullness of(LvmRow row) throws LvmReport.Malformed {
    return new Fullness(
        row.number("lv_size"),
        row.percent("data_percent").orElse(0),
        row.number("lv_metadata_size"),
        row.percent("metadata_percent").orElse(0));
  }

  /** Bytes in use. */
  long used() {
    return (long) (size / 100.0 * data);
  }

  /** Why nothing new is to be made; empty: there is room. */
  Optional<String> problem() {
    if (data >= MOST_DATA) {
      return Optional.of(
          "its data is " + percent(data) + " full: delete something, or make it larger");
    }
    if (metadata >= MOST_METADATA) {
      return Optional.of(
          "its metadata is " + percent(metadata) + " full: delete volumes or snapshots");
    }
    return Optional.empty();
  }

  private static String percent(double value) {
    return Math.round(value) + " %";
  }
}
