package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What {@code zfs} and {@code zpool} write with {@code -H -p}: a row a line, values separated by
 * single tabs, numbers exact, {@code -} where there is no value. The same from OpenZFS 0.8 to 2.3.
 */
final class ZfsTable {
  private ZfsTable() {}

  /**
   * Reads the rows.
   *
   * @throws StapesException INTERNAL where a row has another number of values, or the last has no
   *     end
   */
  static List<List<String>> rows(String output, int columns) {
    List<List<String>> rows = new ArrayList<>();
    if (output.isEmpty()) {
      return rows;
    }
    if (!output.endsWith("\n")) {
      throw unexpected("it is cut short", output.substring(output.lastIndexOf('\n') + 1));
    }
    for (String line : output.substring(0, output.length() - 1).split("\n", -1)) {
      rows.add(values(line, columns));
    }
    return rows;
  }

  /**
   * Reads the rows one by one, however many there are.
   *
   * @throws StapesException as {@link #rows}
   */
  static void read(Reader output, int columns, Consumer<List<String>> row) throws IOException {
    BufferedReader buffered = new BufferedReader(output);
    StringBuilder line = new StringBuilder();
    for (int next = buffered.read(); next >= 0; next = buffered.read()) {
      if (next == '\n') {
        row.accept(values(line.toString(), columns));
        line.setLength(0);
      } else {
        line.append((char) next);
      }
    }
    if (!line.isEmpty()) {
      throw unexpected("it is cut short", line.toString());
    }
  }

  private static List<String> values(String line, int columns) {
    List<String> values = List.of(line.split("\t", -1));
    if (values.size() != columns) {
      throw unexpected(columns + " values expected", line);
    }
    return values;
  }

  /** The only row. */
  static List<String> row(String output, int columns) {
    List<List<String>> rows = rows(output, columns);
    if (rows.size() != 1) {
      throw unexpected("one line expected, not " + rows.size(), output);
    }
    return rows.get(0);
  }

  /** A number; {@code -} and {@code none} are 0. */
  static long number(String value) {
    if (value.equals("-") || value.equals("none")) {
      return 0;
    }
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw unexpected("a number expected", value);
    }
  }

  private static StapesException unexpected(String problem, String text) {
    return new StapesException(
        Kind.INTERNAL, "output of zfs", problem + ": \"" + text.strip() + "\"");
  }
}
