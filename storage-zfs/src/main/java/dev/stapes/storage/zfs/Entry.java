package dev.stapes.storage.zfs;

import java.util.List;
import java.util.Optional;

/**
 * A dataset or snapshot, as {@code zfs list} tells of it.
 *
 * @param place what it is
 * @param origin the snapshot that it is a clone of; empty where it is none
 * @param created number of the transaction group in which it was made: later ones are larger
 * @param written bytes written since the last snapshot
 * @param deferred whether a snapshot goes by itself when nothing needs it any more
 * @param blocks the bytes of a block device; 0 for a file system
 */
record Entry(
    Place place, String origin, long created, long written, boolean deferred, long blocks) {
  /** The columns that {@link #parse} wants. */
  static final String COLUMNS = "name,origin,createtxg,written,defer_destroy,volsize";

  /** How many they are. */
  static final int COUNT = 6;

  /** Reads a row of {@code zfs list -H -p -o COLUMNS}; empty for what no volume can be called. */
  static Optional<Entry> parse(List<String> row) {
    String origin = row.get(1).equals("-") ? "" : row.get(1);
    return Place.parse(row.get(0))
        .map(
            place ->
                new Entry(
                    place,
                    origin,
                    ZfsTable.number(row.get(2)),
                    ZfsTable.number(row.get(3)),
                    row.get(4).equals("on"),
                    ZfsTable.number(row.get(5))));
  }

  /** Reads all rows of an output. */
  static List<Entry> parse(String output) {
    return ZfsTable.rows(output, COUNT).stream().flatMap(row -> parse(row).stream()).toList();
  }
}
