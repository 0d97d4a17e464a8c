package dev.stapes.storage.lvm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what {@code lvs}, {@code vgs} and {@code pvs} report with {@code --reportformat json} or
 * {@code json_std}; see lvmreport(7). In the first form everything is a string, in the second one
 * numbers are numbers, what is not there is null, and lists are arrays.
 */
final class LvmReport {
  private static final ObjectMapper JSON = new ObjectMapper();

  private LvmReport() {}

  /** What is no report. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    Malformed(String problem) {
      super(problem);
    }
  }

  /**
   * The rows of one kind, of all reports in a text.
   *
   * @param kind {@code lv}, {@code vg} or {@code pv}
   * @throws Malformed where the text is none, or one that was cut
   */
  static List<LvmRow> rows(String kind, String text) throws Malformed {
    JsonNode reports = tree(text).get("report");
    if (reports == null || !reports.isArray()) {
      throw new Malformed("no array \"report\"");
    }
    List<LvmRow> rows = new ArrayList<>();
    for (JsonNode report : reports) {
      JsonNode found = report.get(kind);
      if (found == null || !found.isArray()) {
        throw new Malformed("no array \"" + kind + "\" in the report");
      }
      for (JsonNode row : found) {
        rows.add(row(row));
      }
    }
    return rows;
  }

  /** The only row of those that were asked for. */
  static LvmRow only(List<LvmRow> rows) throws Malformed {
    if (rows.size() != 1) {
      throw new Malformed(rows.size() + " rows instead of one");
    }
    return rows.get(0);
  }

  private static JsonNode tree(String text) throws Malformed {
    try {
      JsonNode tree = JSON.readTree(text);
      if (tree == null || !tree.isObject()) {
        throw new Malformed("not a JSON object");
      }
      return tree;
    } catch (JsonProcessingException e) {
      Malformed malformed = new Malformed("not JSON: " + e.getOriginalMessage());
      malformed.initCause(e);
      throw malformed;
    }
  }

  private static LvmRow row(JsonNode row) throws Malformed {
    if (!row.isObject()) {
      throw new Malformed("a row that is no object");
    }
    Map<String, String> values = new LinkedHashMap<>();
    row.properties().forEach(field -> values.put(field.getKey(), text(field.getValue())));
    return new LvmRow(values);
  }

  private static String text(JsonNode value) {
    if (value.isArray()) {
      List<String> all = new ArrayList<>();
      value.forEach(one -> all.add(one.asText()));
      return String.join(",", all);
    }
    return value.isNull() ? "" : value.asText();
  }
}
