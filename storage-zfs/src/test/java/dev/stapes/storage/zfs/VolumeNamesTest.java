package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.spi.VolumeId;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VolumeNamesTest {
  @Test
  void every_volume_has_a_component_that_names_it() {
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      for (String name : Set.of("0", "a.b_c-d", "x".repeat(100), "a..b")) {
        VolumeId id = new VolumeId(kind, name);
        String component = VolumeNames.component(id);
        assertEquals(Optional.of(id), VolumeNames.volume(component));
        assertTrue(DatasetName.isName("tank/" + component), component);
      }
    }
  }

  @Test
  void what_others_called_so_is_no_volume() {
    for (String component :
        Set.of(
            "",
            "instances",
            "instances:",
            "instances:A",
            "instances:a b",
            "autosnap_2026",
            "gone:1",
            "custom:-r",
            "image:a")) {
      assertEquals(Optional.empty(), VolumeNames.volume(component), component);
    }
  }

  @Test
  void what_is_gone_has_a_name_of_its_own_each_time() {
    assertTrue(VolumeNames.isGone(VolumeNames.gone()));
    assertNotEquals(VolumeNames.gone(), VolumeNames.gone());
    assertFalse(VolumeNames.isGone("custom:gone"));
    assertTrue(DatasetName.isName(VolumeNames.gone()));
  }

  @Test
  void what_is_in_progress_is_told_until_it_is_done() {
    VolumeNames names = new VolumeNames();
    String one = names.begin();
    assertEquals(Set.of(one), names.inProgress());
    names.done(one);
    assertEquals(Set.of(), names.inProgress());
  }
}
