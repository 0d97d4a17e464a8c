package dev.stapes.storage.zfs;

import java.util.ArrayList;
import java.util.List;

/**
 * A dataset or snapshot, as {@code zfs list} tells of it.
 *
 * @param place what it is
 * @param origin the snapshot that it is a clone of; empty where it is none
 * @param created number of the transaction group in which it was made: later ones are larger
 * @param written bytes written since the last snapshot
 * @param deferred whether a snapshot goes by itself when nothing needs it any more
 */
record Entry(Place place, String origin, long created, long written, boolean deferred) {
  /** The columns that {@link #parse} wants. */
  static final String COLUMNS = "name,origin,createtxg,written,defer_destroy";

  private static final int COUNT = 5;

  /** Reads the output of {@code zfs list -H -p -o COLUMNS}. */
  static List<Entry> parse(String output) {
    List<Entry> entries = new ArrayList<>();
    for (List<String> row : ZfsTable.rows(output, COUNT)) {
      String origin = row.get(1).equals("-") ? "" : row.get(1);
      Place.parse(row.get(0))
          .ifPresent(
              place ->
                  entries.add(
                      new Entry(
                          place,
                          origin,
                          ZfsTable.number(row.get(2)),
                          ZfsTable.number(row.get(3)),
                          row.get(4).equals("on"))));
    }
    return entries;
  }
}
