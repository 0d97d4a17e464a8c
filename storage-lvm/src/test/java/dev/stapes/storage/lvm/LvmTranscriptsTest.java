package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What was recorded of LVM itself. */
class LvmTranscriptsTest {
  private static String text(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(LvmTranscriptsTest.class.getResourceAsStream(name), name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void a_version_is_read() throws IOException {
    assertEquals(
        Optional.of(new LvmVersion(2, 3, 16)), LvmVersion.of(text("lvm-2.03.16/version.txt")));
  }

  @Test
  void a_group_is_read() throws Exception {
    List<LvmRow> rows = LvmReport.rows("vg", text("lvm-2.03.16/vgs.json"));
    assertEquals(1, rows.size());
    assertEquals(new VolumeGroup(266_338_304, 1 << 20), VolumeGroup.of(rows.get(0)));
  }

  @Test
  void volumes_are_read() throws Exception {
    List<LvmRow> rows = LvmReport.rows("lv", text("lvm-2.03.16/lvs.json"));
    assertEquals(3, rows.size());
    assertEquals(List.of(VolumeTags.pool("stapes_x")), rows.get(0).list("lv_tags"));
    assertEquals(Optional.empty(), VolumeTags.volume(rows.get(0)));
    ThinVolume volume = VolumeTags.volume(rows.get(1)).orElseThrow();
    assertEquals(new VolumeId(VolumeId.Kind.INSTANCE, "a"), volume.id());
    assertEquals(Optional.of(VolumeFormat.EXT4), volume.format());
    assertEquals(200L << 20, volume.size());
    assertEquals("stapes_p", rows.get(2).text("pool_lv"));
  }

  @Test
  void the_fullness_of_a_pool_is_read() throws Exception {
    List<LvmRow> rows = LvmReport.rows("lv", text("lvm-2.03.16/lvs-pool.json"));
    assertEquals(new Fullness(248_512_512, 2.14, 4 << 20, 11.04), Fullness.of(rows.get(0)));
  }

  @Test
  void a_report_without_volumes_is_read() throws Exception {
    assertEquals(List.of(), LvmReport.rows("lv", text("lvm-2.03.16/lvs-none.json")));
  }
}
