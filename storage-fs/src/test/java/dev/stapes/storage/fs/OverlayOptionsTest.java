package dev.stapes.storage.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OverlayOptionsTest {
  @Test
  void separators_in_paths_are_escaped() {
    String options =
        OverlayOptions.writable(
            List.of(Path.of("/a:b"), Path.of("/c,d")), Path.of("/e\\f"), Path.of("/g"));
    assertTrue(options.startsWith("lowerdir=/a\\:b:/c\\,d,upperdir=/e\\\\f,workdir=/g,"), options);
  }

  @Test
  void the_host_s_root_gets_an_id_that_no_machine_has() {
    IdMapping mapping = IdMapping.of(1_000_000, 65_536);
    IdMapping more = OverlayViews.withOverlaysOwn(mapping);
    assertEquals(mapping.hostUid(0), more.hostUid(0));
    assertEquals(0, more.hostUid(0xFFFF_FFFEL).orElseThrow());
    assertEquals(0, more.hostGid(0xFFFF_FFFEL).orElseThrow());
    IdMapping privileged = IdMapping.of(0, 65_536);
    assertEquals(privileged, OverlayViews.withOverlaysOwn(privileged));
  }

  @Test
  void ids_are_shifted_from_one_map_to_another_and_back() {
    IdMapping one = IdMapping.of(1_000_000, 1000);
    IdMapping other = IdMapping.of(5_000_000, 500);
    assertEquals(1_000_007, IdShift.uid(Optional.empty(), Optional.of(one), 7));
    assertEquals(7, IdShift.uid(Optional.of(one), Optional.empty(), 1_000_007));
    assertEquals(5_000_007, IdShift.gid(Optional.of(one), Optional.of(other), 1_000_007));
    assertEquals(1_000_700, IdShift.uid(Optional.of(one), Optional.of(other), 1_000_700));
    assertEquals(0, IdShift.gid(Optional.of(one), Optional.of(other), 0));
  }
}
