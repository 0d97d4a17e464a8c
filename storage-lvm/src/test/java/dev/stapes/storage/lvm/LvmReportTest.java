package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** What LVM reports. */
class LvmReportTest {
  private static final String STRINGS =
      """
        {
            "report": [
                {
                    "lv": [
                        {"lv_name":"data", "lv_size":"8388608", "data_percent":"", "lv_tags":""},
                        {"lv_name":"pool", "lv_size":"4194304.00", "data_percent":"12.50", \
      "lv_tags":"one,stapes.pool=x"}
                    ]
                }
            ]
        }
      """;

  private static final String STANDARD =
      """
      {"report": [{"lv": [
        {"lv_name":"data", "lv_size":8388608, "data_percent":null, "lv_tags":[]},
        {"lv_name":"pool", "lv_size":4194304, "data_percent":12.50, \
      "lv_tags":["one","stapes.pool=x"]}]}], "log": []}
      """;

  @Test
  void both_forms_of_json_say_the_same() throws LvmReport.Malformed {
    for (String text : List.of(STRINGS, STANDARD)) {
      List<LvmRow> rows = LvmReport.rows("lv", text);
      assertEquals(2, rows.size());
      assertEquals("data", rows.get(0).text("lv_name"));
      assertEquals(8 << 20, rows.get(0).number("lv_size"));
      assertEquals(OptionalDouble.empty(), rows.get(0).percent("data_percent"));
      assertEquals(List.of(), rows.get(0).list("lv_tags"));
      assertEquals(4 << 20, rows.get(1).number("lv_size"));
      assertEquals(OptionalDouble.of(12.5), rows.get(1).percent("data_percent"));
      assertEquals(List.of("one", "stapes.pool=x"), rows.get(1).list("lv_tags"));
    }
  }

  @Test
  void a_report_without_rows_has_none() throws LvmReport.Malformed {
    assertEquals(List.of(), LvmReport.rows("lv", "{\"report\":[{\"lv\":[]}]}"));
  }

  @Test
  void a_report_that_is_cut_anywhere_is_malformed() {
    String whole = STRINGS.strip();
    for (int length = 0; length < whole.length(); length++) {
      String cut = whole.substring(0, length);
      assertThrows(LvmReport.Malformed.class, () -> LvmReport.rows("lv", cut), cut);
    }
  }

  @Test
  void rows_of_another_kind_are_malformed() {
    assertMalformed("no array \"vg\"", () -> LvmReport.rows("vg", STRINGS));
    assertMalformed("\"report\"", () -> LvmReport.rows("lv", "{}"));
    assertMalformed("row", () -> LvmReport.rows("lv", "{\"report\":[{\"lv\":[1]}]}"));
  }

  @Test
  void a_field_that_is_missing_or_no_number_is_quoted() throws LvmReport.Malformed {
    LvmRow row = LvmReport.rows("lv", STRINGS).get(0);
    assertMalformed("\"pool_lv\"", () -> row.text("pool_lv"));
    assertMalformed("\"data\"", () -> row.number("lv_name"));
    assertMalformed("\"data\"", () -> row.percent("lv_name"));
  }

  @Property(tries = 300)
  void any_text_is_a_report_or_malformed(@ForAll String text) {
    try {
      LvmReport.rows("lv", text);
    } catch (LvmReport.Malformed e) {
      assertTrue(String.valueOf(e.getMessage()).length() > 3);
    }
  }

  private interface Attempt {
    Object run() throws LvmReport.Malformed;
  }

  private static void assertMalformed(String quoted, Attempt attempt) {
    LvmReport.Malformed error = assertThrows(LvmReport.Malformed.class, attempt::run);
    assertTrue(String.valueOf(error.getMessage()).contains(quoted), error.toString());
  }
}
