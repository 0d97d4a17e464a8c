package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VolumeIndexTest {
  private static final DatasetName ROOT = new DatasetName("tank/stapes");
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");

  private final VolumeIndex index = new VolumeIndex("pool p");

  private static Entry entry(String dataset, String snapshot) {
    return new Entry(new Place(new DatasetName(dataset), snapshot), "", 1, 0, false, 0);
  }

  private void load(Entry... entries) {
    index.load(ROOT, List.of(entries), index.doubts());
  }

  @Test
  void datasets_and_snapshots_of_any_dataset_are_volumes() {
    load(
        entry("tank/stapes", ""),
        entry("tank/stapes/instances:a", ""),
        entry("tank/stapes/gone:1", ""),
        entry("tank/stapes/gone:1", "snapshots:old"),
        entry("tank/stapes/gone:1", "gone:2"));
    assertEquals(Set.of(A), index.all(VolumeId.Kind.INSTANCE));
    assertEquals(Set.of(OLD), index.all(VolumeId.Kind.SNAPSHOT));
    assertEquals("tank/stapes/gone:1@snapshots:old", index.require(OLD).toString());
    assertTrue(index.require(OLD).isSnapshot());
  }

  @Test
  void what_others_made_is_no_volume() {
    load(
        entry("tank/stapes", "snapshots:root"),
        entry("tank/stapes/instances:a/below", ""),
        entry("tank/stapes/instances:a/below", "snapshots:deep"),
        entry("tank/stapes2/instances:b", ""),
        entry("tank/instances:c", ""),
        entry("tank/stapes/instances:a", "autosnap 2026"));
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      assertEquals(Set.of(), index.all(kind));
    }
  }

  @Test
  void an_index_is_read_anew_after_it_was_distrusted() {
    assertTrue(index.isStale());
    load(entry("tank/stapes/instances:a", ""));
    assertFalse(index.isStale());
    index.distrust();
    assertTrue(index.isStale());
    load(entry("tank/stapes", ""));
    assertEquals(Set.of(), index.all(VolumeId.Kind.INSTANCE));
  }

  /** As by a command that was given up, which ends while the list is read. */
  @Test
  void an_index_that_is_distrusted_while_it_is_read_is_read_again() {
    long before = index.doubts();
    index.distrust();
    index.load(ROOT, List.of(entry("tank/stapes/instances:a", "")), before);
    assertTrue(index.isStale());
  }

  @Test
  void what_is_missing_or_taken_is_refused_by_its_name() {
    load(entry("tank/stapes/instances:a", ""));
    StapesException taken = assertThrows(StapesException.class, () -> index.requireFree(A));
    assertEquals(Kind.CONFLICT, taken.kind());
    StapesException missing = assertThrows(StapesException.class, () -> index.require(OLD));
    assertEquals(Kind.NOT_FOUND, missing.kind());
    assertEquals("volume snapshots/old", missing.subject());
    index.requireFree(OLD);
  }

  @Test
  void snapshots_go_with_their_dataset() {
    load(
        entry("tank/stapes/instances:a", ""),
        entry("tank/stapes/instances:a", "snapshots:old"),
        entry("tank/stapes/instances:b", ""));
    Place from = index.require(A);
    assertTrue(index.hasSnapshots(from));
    assertFalse(index.hasSnapshots(index.require(OLD)));
    index.remove(A);
    index.moved(from, Place.of(ROOT.child("gone:1")));
    assertEquals("tank/stapes/gone:1@snapshots:old", index.require(OLD).toString());
    Place other = index.require(new VolumeId(VolumeId.Kind.INSTANCE, "b"));
    assertEquals("tank/stapes/instances:b", other.toString());
    assertFalse(index.hasSnapshots(other));
  }

  @Test
  void a_dataset_has_snapshots_until_the_last_is_gone() {
    load(entry("tank/stapes/instances:a", ""));
    Place dataset = index.require(A);
    VolumeId other = new VolumeId(VolumeId.Kind.SNAPSHOT, "new");
    index.put(OLD, new Place(dataset.dataset(), "snapshots:old"));
    index.put(other, new Place(dataset.dataset(), "snapshots:new"));
    index.remove(OLD);
    index.remove(OLD);
    assertTrue(index.hasSnapshots(dataset));
    index.remove(other);
    assertFalse(index.hasSnapshots(dataset));
    index.put(OLD, new Place(dataset.dataset(), "snapshots:old"));
    load(entry("tank/stapes/instances:a", ""));
    assertFalse(index.hasSnapshots(dataset));
  }

  @Test
  void what_is_claimed_is_made_by_nobody_else() {
    load();
    index.claims().receive(A);
    assertEquals(Set.of(A), index.claims().received());
    index.requireNotThere(A);
    StapesException error = assertThrows(StapesException.class, () -> index.requireFree(A));
    assertEquals(Kind.CONFLICT, error.kind(), error::toString);
    error = assertThrows(StapesException.class, () -> index.claims().receive(A));
    assertEquals(Kind.BUSY, error.kind(), error::toString);
    index.claims().release(A);
    index.requireFree(A);
    index.claims().requireNotReceived(A);
  }
}
