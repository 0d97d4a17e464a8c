package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatasetNameTest {
  @ParameterizedTest
  @ValueSource(strings = {"tank", "tank/data", "rpool/ROOT/debian-12", "a/b.c_d:e/0"})
  void names_of_datasets_are_taken_as_they_are(String name) {
    assertEquals(name, new DatasetName(name).text());
    assertTrue(DatasetName.isName(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "/dev/sda",
        "-r",
        "tank/-r",
        "tank/",
        "tank//data",
        "tank@snap",
        "tank#mark",
        "tank/a b",
        "tank/a,b",
        "tank/%",
        "tank/\n",
        "tank\n",
        "tank/ä",
        "../tank",
        "tank/..",
        "--",
        "tank/a\0b"
      })
  void what_could_be_an_option_a_snapshot_or_a_list_is_refused(String name) {
    StapesException error = assertThrows(StapesException.class, () -> new DatasetName(name));
    assertEquals(Kind.INVALID, error.kind());
    assertFalse(DatasetName.isName(name));
  }

  @Test
  void a_name_is_as_long_as_zfs_takes_it() {
    DatasetName longest = new DatasetName("t/" + "x".repeat(253));
    assertEquals(255, longest.text().length());
    assertThrows(StapesException.class, () -> new DatasetName("t/" + "x".repeat(254)));
    assertThrows(StapesException.class, () -> new DatasetName("x/".repeat(50_000) + "x"));
    assertThrows(StapesException.class, () -> longest.snapshot("s"));
    assertThrows(StapesException.class, () -> longest.child("c"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mirror", "mirror1", "raidz2", "draid", "spares", "log", "0tank", "a/b", ""})
  void a_new_pool_has_no_name_that_zpool_takes_for_something_else(String name) {
    assertThrows(StapesException.class, () -> DatasetName.ofNewPool(name));
  }

  @Test
  void a_new_pool_may_have_any_other_name() {
    assertEquals("stapes-0f", DatasetName.ofNewPool("stapes-0f").text());
    assertEquals("logs", DatasetName.ofNewPool("logs").text());
  }

  @Test
  void children_snapshots_and_the_pool_follow_from_a_name() {
    DatasetName tank = new DatasetName("tank");
    assertEquals("tank/data", tank.child("data").text());
    assertEquals("tank", tank.child("data").zpool());
    assertEquals("tank", tank.zpool());
    assertEquals("tank/data@a:b", tank.child("data").snapshot("a:b"));
    assertThrows(StapesException.class, () -> tank.snapshot("a,b"));
    assertThrows(StapesException.class, () -> tank.snapshot("a%b"));
  }
}
