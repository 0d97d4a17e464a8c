package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

/** What tags say of a volume. */
class VolumeTagsTest {
  /** Of lvm(8). */
  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9_+.-][A-Za-z0-9_+./=!:#&-]*");

  private static LvmRow row(String name, List<String> tags, long size) {
    return new LvmRow(
        Map.of("lv_name", name, "lv_tags", String.join(",", tags), "lv_size", "" + size));
  }

  @Property(tries = 300)
  void a_volume_is_what_its_tags_say(
      @ForAll VolumeId.Kind kind,
      @ForAll
          @CharRange(from = 'a', to = 'z')
          @CharRange(from = '0', to = '9')
          @Chars({'.', '_', '-'})
          @StringLength(max = 99)
          String rest,
      @ForAll Optional<VolumeFormat> format,
      @ForAll boolean readOnly,
      @ForAll boolean copied)
      throws LvmReport.Malformed {
    VolumeId id = new VolumeId(kind, "x" + rest);
    ThinVolume volume = new ThinVolume("v1", id, format, readOnly, copied, 4096);
    List<String> tags = VolumeTags.of(volume);
    assertEquals(Optional.of(volume), VolumeTags.volume(row("v1", tags, 4096)));
    tags.forEach(tag -> assertTrue(ALLOWED.matcher(tag).matches(), tag));
  }

  @Test
  void a_twin_is_what_its_tags_say() throws LvmReport.Malformed {
    for (Optional<String> sum : List.of(Optional.<String>empty(), Optional.of("0a".repeat(32)))) {
      Twin twin = new Twin("v1", "v2", "v3", sum);
      List<String> tags = VolumeTags.of(twin);
      assertEquals(Optional.of(twin), VolumeTags.twin(row("v1", tags, 4096)));
      tags.forEach(tag -> assertTrue(ALLOWED.matcher(tag).matches(), tag));
    }
  }

  @Test
  void what_has_other_tags_is_no_volume() throws LvmReport.Malformed {
    for (List<String> tags :
        List.of(
            List.<String>of(),
            List.of("stapes.trash", "stapes.format=ext4"),
            List.of("stapes.volume=instances/a"),
            List.of("stapes.volume=instances/a", "stapes.format=ntfs"),
            List.of("stapes.volume=instances/a", "stapes.format=ext4", "stapes.block"),
            List.of("stapes.volume=instances/-a", "stapes.format=ext4"),
            List.of("stapes.volume=others/a", "stapes.format=ext4"))) {
      assertEquals(Optional.empty(), VolumeTags.volume(row("v1", tags, 4096)));
    }
  }

  @Test
  void a_copy_of_btrfs_needs_a_uuid_of_its_own_and_others_do_not() {
    VolumeId id = new VolumeId(VolumeId.Kind.INSTANCE, "a");
    for (VolumeFormat format : VolumeFormat.values()) {
      ThinVolume copy = ThinVolume.fresh(id, format, 4096).copy(id, true);
      assertEquals(format == VolumeFormat.BTRFS, copy.copied(), format.type());
      assertEquals(format.needsOwnUuid(), format.renewUuid(Path.of("/x")).isPresent());
    }
  }
}
