package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Versions, names, options and complaints. */
class LvmTextsTest {
  @Test
  void a_version_is_read_and_compared() {
    String text =
        "  LVM version:     2.03.16(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n";
    LvmVersion version = LvmVersion.of(text).orElseThrow();
    assertEquals(new LvmVersion(2, 3, 16), version);
    assertEquals("2.03.16", version.toString());
    assertTrue(version.compareTo(new LvmVersion(2, 3, 12)) > 0);
    assertTrue(version.compareTo(new LvmVersion(2, 10, 0)) < 0);
    assertTrue(version.compareTo(new LvmVersion(3, 0, 0)) < 0);
    assertEquals(Optional.empty(), LvmVersion.of("  Library version: 1.02.185\n"));
    assertEquals(Optional.empty(), LvmVersion.of(""));
  }

  @Test
  void a_name_of_a_group_cannot_be_an_option_or_a_path() {
    assertEquals("vg-1.a+b_c", LvmNames.group("pool x", "vg-1.a+b_c"));
    for (String name :
        List.of("", "-vg", "--yes", ".", "..", "a/b", "a b", "a,b", "a\nb", "ü", "x".repeat(61))) {
      StapesException error =
          assertThrows(StapesException.class, () -> LvmNames.group("pool x", name));
      assertEquals(Kind.INVALID, error.kind());
      assertTrue(String.valueOf(error.getMessage()).contains("\"" + name + "\""), error.toString());
    }
  }

  @Test
  void names_that_are_made_are_allowed_and_no_two_alike() {
    String name = LvmNames.fresh();
    assertEquals(name, LvmNames.group("pool x", name));
    assertNotEquals(name, LvmNames.fresh());
    String volume = LvmNames.freshVolume();
    assertEquals(volume, LvmNames.group("pool x", volume));
    assertTrue(name.length() + 1 + volume.length() < 128);
  }

  @Test
  void without_udev_lvm_waits_for_none_and_with_a_device_it_looks_at_no_other() {
    String without = String.join(" ", Lvm.options(Optional.empty(), false, false));
    assertTrue(without.contains("activation/udev_sync=0"), without);
    assertTrue(without.contains("activation/udev_rules=0"), without);
    assertFalse(without.contains("--devices"), without);
    List<String> with = Lvm.options(Optional.of("/dev/loop7"), true, false);
    assertEquals(List.of("--devices", "/dev/loop7", "--config"), with.subList(0, 3));
    assertFalse(with.get(3).contains("udev"), with.toString());
    assertTrue(with.get(3).contains("activation/monitoring=0"), with.toString());
    assertFalse(with.get(3).contains("lvmlockd"), with.toString());
    String shared = String.join(" ", Lvm.options(Optional.empty(), true, true));
    assertTrue(shared.contains("global/use_lvmlockd=1"), shared);
  }

  @Test
  void complaints_have_kinds() {
    assertEquals(
        Kind.EXHAUSTED,
        LvmErrors.kind("Volume group \"vg\" has insufficient free space (3 extents): 8 required."));
    assertEquals(
        Kind.CONFLICT,
        LvmErrors.kind("Logical Volume \"a\" already exists in volume group \"vg\""));
    assertEquals(Kind.NOT_FOUND, LvmErrors.kind("Failed to find logical volume \"vg/a\""));
    assertEquals(Kind.NOT_FOUND, LvmErrors.kind("Volume group \"vg\" not found"));
    assertEquals(Kind.BUSY, LvmErrors.kind("Logical volume vg/a in use."));
    assertEquals(Kind.BUSY, LvmErrors.kind("LV locked by other host: vg/a"));
    assertEquals(
        Kind.UNAVAILABLE,
        LvmErrors.kind("Reading VG vg without a lock.\n  Cannot access VG vg due to failed lock."));
    assertEquals(
        Kind.INTERNAL, LvmErrors.kind("Skipping global lock: lockspace not found or started"));
    assertEquals(Kind.INVALID, LvmErrors.kind("resize2fs: New size smaller than minimum (1234)"));
    assertEquals(Kind.INVALID, LvmErrors.kind("Filesystem must be larger than 300MB."));
    assertEquals(
        Kind.INVALID, LvmErrors.kind("ERROR: '/dev/a' is too small to make a usable filesystem"));
    assertEquals(Kind.BUSY, LvmErrors.kind("Logical volume vg/a contains a filesystem in use."));
    assertEquals(
        Kind.EXHAUSTED,
        LvmErrors.kind("Insufficient free space: 882 extents needed, but only 35 available"));
    assertEquals(
        Kind.NOT_FOUND, LvmErrors.kind("Volume group \"no\" not found\nCannot process group"));
    assertEquals(Kind.INTERNAL, LvmErrors.kind("Something else"));
  }

  @Test
  void a_warning_is_not_the_reason() {
    String warnings =
        """
        program lvm: exit code 5: WARNING: VG x is in use.
          Devices file PVID abc last seen on /dev/sdb not found.
        """;
    assertEquals(Kind.INTERNAL, LvmErrors.kind(warnings + "  Cannot do it."));
    assertEquals(Kind.BUSY, LvmErrors.kind(warnings + "  Logical volume vg/a in use."));
  }

  @Test
  void an_error_keeps_the_kind_that_is_not_the_program_s() {
    StapesException late = new StapesException(Kind.TIMED_OUT, "program lvm", "not found in time");
    assertEquals(Kind.TIMED_OUT, LvmErrors.of(late, "pool x", "lvcreate failed").kind());
    StapesException full =
        new StapesException(Kind.INTERNAL, "program lvm", "exit code 5: insufficient free space");
    StapesException error = LvmErrors.of(full, "pool x", "lvcreate failed");
    assertEquals(Kind.EXHAUSTED, error.kind());
    assertTrue(String.valueOf(error.getMessage()).startsWith("pool x: lvcreate failed: "));
  }
}
