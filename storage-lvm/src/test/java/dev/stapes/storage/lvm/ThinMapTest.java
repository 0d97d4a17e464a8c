package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.storage.lvm.ThinMap.Range;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The reports of thin_dump and thin_delta. */
class ThinMapTest {
  private static final long BLOCK = 64 << 10;
  private static final long SIZE = 1024 * BLOCK;

  private static final String HEAD =
      "<superblock uuid=\"\" time=\"2\" transaction=\"3\" data_block_size=\"128\""
          + " nr_data_blocks=\"2048\">\n";

  private static Optional<List<Range>> ranges(String... lines) throws LvmReport.Malformed {
    return ThinMap.ranges(HEAD + String.join("\n", lines) + "\n</superblock>\n", SIZE);
  }

  @Test
  void mapped_blocks_are_read_and_neighbours_are_one_range() throws Exception {
    assertEquals(
        Optional.of(List.of(new Range(0, 6 * BLOCK), new Range(100 * BLOCK, BLOCK))),
        ranges(
            "  <device dev_id=\"2\" mapped_blocks=\"7\" transaction=\"1\" creation_time=\"1\""
                + " snap_time=\"1\">",
            "    <range_mapping origin_begin=\"0\" data_begin=\"0\" length=\"5\" time=\"0\"/>",
            "    <single_mapping origin_block=\"5\" data_block=\"9\" time=\"1\"/>",
            "    <single_mapping origin_block=\"100\" data_block=\"5\" time=\"0\"/>",
            "  </device>"));
  }

  @Test
  void what_is_on_one_side_only_is_a_difference_and_what_is_the_same_none() throws Exception {
    assertEquals(
        Optional.of(List.of(new Range(BLOCK, 3 * BLOCK), new Range(200 * BLOCK, BLOCK))),
        ranges(
            "  <diff left=\"2\" right=\"3\">",
            "    <same begin=\"0\" length=\"1\"/>",
            "    <different begin=\"1\" length=\"2\"/>",
            "    <left_only begin=\"3\" length=\"1\"/>",
            "    <right_only begin=\"200\" length=\"1\"/>",
            "  </diff>"));
    assertEquals(Optional.of(List.of()), ranges("  <diff left=\"2\" right=\"3\">", "  </diff>"));
  }

  @Test
  void what_is_beyond_the_end_of_the_volume_does_not_count() throws Exception {
    assertEquals(
        Optional.of(List.of(new Range(1023 * BLOCK, BLOCK))),
        ranges(
            "<different begin=\"1023\" length=\"9\"/>",
            "<right_only begin=\"2000\" length=\"1\"/>"));
  }

  @Test
  void a_text_that_is_cut_is_none() throws Exception {
    String whole = HEAD + "<different begin=\"1\" length=\"2\"/>\n</superblock>";
    for (int length = 0; length < whole.length(); length++) {
      assertEquals(Optional.empty(), ThinMap.ranges(whole.substring(0, length), SIZE));
    }
  }

  @Test
  void texts_that_make_no_sense_are_malformed() {
    for (String line :
        List.of(
            "<different begin=\"-1\" length=\"2\"/>",
            "<different begin=\"1\"/>",
            "<different length=\"1\"/>",
            "<different begin=\"1\" length=\"0\"/>",
            "<different begin=\"999999999999999999\" length=\"1\"/>",
            "<different begin=\"1\" length=\"99999999999999999999999\"/>",
            "<different begin=\"5\" length=\"2\"/><different begin=\"6\" length=\"1\"/>",
            "<range_mapping origin_begin=\"x\" length=\"1\"/>")) {
      assertThrows(LvmReport.Malformed.class, () -> ranges(line), line);
    }
    assertThrows(
        LvmReport.Malformed.class,
        () ->
            ThinMap.ranges("<superblock><different begin=\"1\" length=\"1\"/></superblock>", SIZE));
  }
}
