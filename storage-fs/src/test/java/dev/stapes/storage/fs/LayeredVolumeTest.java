package dev.stapes.storage.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class LayeredVolumeTest {
  @Provide
  Arbitrary<String> ids() {
    return Arbitraries.strings().withCharRange('a', 'z').numeric().ofMinLength(1).ofMaxLength(32);
  }

  @Property
  void what_is_written_is_read(
      @ForAll("ids") String upper, @ForAll List<@net.jqwik.api.From("ids") String> lowers) {
    LayeredVolume writable = new LayeredVolume(Optional.of(upper), lowers);
    assertEquals(Optional.of(writable), LayeredVolume.parse(writable.text()));
    if (!lowers.isEmpty()) {
      LayeredVolume readOnly = new LayeredVolume(Optional.empty(), lowers);
      assertEquals(Optional.of(readOnly), LayeredVolume.parse(readOnly.text()));
    }
  }

  @Property
  void any_text_is_a_volume_that_writes_it_or_none(@ForAll String text) {
    Optional<LayeredVolume> volume = LayeredVolume.parse("stapes-volume 1\n" + text);
    volume.ifPresent(read -> assertEquals("stapes-volume 1\n" + text, read.text()));
  }

  @Test
  void names_that_lead_elsewhere_are_no_layers() {
    for (String id : new String[] {"..", ".", "", "a/b", "../x", "A", "a b", "a:b"}) {
      assertEquals(
          Optional.empty(), LayeredVolume.parse("stapes-volume 1\nlower " + id + "\n"), id);
    }
    assertEquals(Optional.empty(), LayeredVolume.parse("stapes-volume 1\n"));
    assertEquals(Optional.empty(), LayeredVolume.parse("stapes-volume 2\nlower a\n"));
    assertEquals(Optional.empty(), LayeredVolume.parse("stapes-volume 1\nlower a\nupper b\n"));
    assertEquals(Optional.empty(), LayeredVolume.parse("stapes-volume 1\nlower a"));
  }
}
