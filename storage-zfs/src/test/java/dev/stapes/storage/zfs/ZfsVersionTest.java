package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class ZfsVersionTest {
  @Test
  void versions_of_packages_and_of_the_project_are_read() {
    assertEquals(Optional.of(new ZfsVersion(2, 3)), ZfsVersion.parse("2.3.2-2~bpo12+2\n"));
    assertEquals(Optional.of(new ZfsVersion(2, 1)), ZfsVersion.parse("2.1.11-1+deb12u1"));
    assertEquals(Optional.of(new ZfsVersion(2, 2)), ZfsVersion.parse("2.2.99-1_gabcdef"));
    assertEquals(Optional.of(new ZfsVersion(3, 10)), ZfsVersion.parse("3.10"));
  }

  @Test
  void what_is_no_version_is_none() {
    assertEquals(Optional.empty(), ZfsVersion.parse(""));
    assertEquals(Optional.empty(), ZfsVersion.parse("2"));
    assertEquals(Optional.empty(), ZfsVersion.parse("99999.1"));
    assertEquals(Optional.empty(), ZfsVersion.parse("zfs-2.3"));
  }

  @Test
  void versions_are_compared_by_number() {
    assertTrue(new ZfsVersion(2, 10).isAtLeast(2, 2));
    assertTrue(new ZfsVersion(3, 0).isAtLeast(2, 2));
    assertTrue(new ZfsVersion(2, 2).isAtLeast(2, 2));
    assertFalse(new ZfsVersion(2, 1).isAtLeast(2, 2));
    assertFalse(new ZfsVersion(1, 9).isAtLeast(2, 2));
  }
}
