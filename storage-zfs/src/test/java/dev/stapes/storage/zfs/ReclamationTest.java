package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.storage.zfs.Reclamation.Step;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ReclamationTest {
  private static final DatasetName ROOT = new DatasetName("tank/stapes");
  private static final DatasetName A = ROOT.child("instances:a");
  private static final DatasetName B = ROOT.child("instances:b");
  private static final DatasetName GONE = ROOT.child("gone:1");

  private static Entry dataset(DatasetName name, String origin, long written) {
    return new Entry(Place.of(name), origin, 1, written, false, 0);
  }

  private static Entry snapshot(DatasetName of, String component, long created, boolean deferred) {
    return new Entry(new Place(of, component), "", created, 0, deferred, 0);
  }

  private static List<Step> next(Entry... entries) {
    return Reclamation.next(ROOT, List.of(entries), Set.of());
  }

  @Test
  void volumes_are_not_touched() {
    assertEquals(
        List.of(),
        next(
            dataset(ROOT, "", 5),
            dataset(A, "", 5),
            snapshot(A, "snapshots:x", 2, false),
            dataset(B, A + "@snapshots:x", 5)));
  }

  @Test
  void what_others_put_there_is_not_touched() {
    DatasetName other = new DatasetName("tank/gone:2");
    assertEquals(
        List.of(),
        next(
            dataset(new DatasetName("tank"), "", 0),
            dataset(other, "", 5),
            dataset(ROOT.child("gone"), "", 5),
            dataset(A.child("gone:3"), "", 5),
            snapshot(A, "autosnap", 2, false)));
  }

  @Test
  void a_dataset_that_is_gone_is_destroyed() {
    assertEquals(List.of(new Step.Destroy(GONE)), next(dataset(GONE, "", 5)));
  }

  @Test
  void what_waits_for_the_rest_of_a_stream_stays_and_takes_nothing_over() {
    DatasetName part = ROOT.child("part:snapshots:x");
    Entry waiting = dataset(part, GONE + "@gone:2", 5);
    Set<String> needed = Set.of(part.component());
    List<Entry> entries = List.of(dataset(GONE, "", 0), snapshot(GONE, "gone:2", 2, true), waiting);
    assertEquals(List.of(), Reclamation.next(ROOT, entries, needed));
    assertEquals(List.of(), Reclamation.next(ROOT, List.of(waiting), needed));
  }

  @Test
  void what_has_had_its_rest_and_is_no_volume_any_more_goes() {
    DatasetName part = ROOT.child("part:snapshots:x");
    assertEquals(List.of(new Step.Destroy(part)), next(dataset(part, "", 5)));
    assertEquals(
        List.of(new Step.DropSnapshots(part, List.of("gone:3"))),
        next(dataset(part, "", 0), snapshot(part, "gone:3", 2, false)));
    assertEquals(List.of(), next(dataset(part, "", 0), snapshot(part, "snapshots:x", 2, false)));
    Entry whole = dataset(part, GONE + "@gone:2", 0);
    assertEquals(
        List.of(new Step.Promote(part)),
        next(
            dataset(GONE, "", 0),
            snapshot(GONE, "gone:2", 2, true),
            whole,
            snapshot(part, "snapshots:x", 3, false)));
  }

  @Test
  void what_is_in_progress_is_left_alone() {
    assertEquals(
        List.of(),
        Reclamation.next(
            ROOT,
            List.of(dataset(GONE, "", 0), dataset(A, "", 0), snapshot(A, "gone:2", 2, false)),
            Set.of("gone:1", "gone:2")));
  }

  @Test
  void snapshots_that_are_gone_go_at_once_and_one_that_waits_for_its_clones_is_left() {
    assertEquals(
        List.of(new Step.DropSnapshots(A, List.of("gone:1", "gone:2"))),
        next(
            dataset(A, "", 5),
            snapshot(A, "gone:1", 2, false),
            snapshot(A, "gone:2", 3, false),
            snapshot(A, "gone:3", 4, true),
            snapshot(A, "snapshots:x", 5, false)));
  }

  @Test
  void a_dataset_that_stays_for_its_snapshots_loses_what_was_written_since() {
    Entry old = snapshot(GONE, "snapshots:x", 2, false);
    Entry newest = snapshot(GONE, "snapshots:w", 3, false);
    assertEquals(
        List.of(new Step.Rollback(newest.place())), next(dataset(GONE, "", 5), newest, old));
    assertEquals(List.of(), next(dataset(GONE, "", 0), newest, old));
  }

  @Test
  void a_dataset_that_only_clones_need_changes_places_with_the_newest_of_them() {
    assertEquals(
        List.of(new Step.Promote(B)),
        next(
            dataset(A, GONE + "@gone:1", 0),
            dataset(B, GONE + "@gone:2", 0),
            dataset(GONE, "", 5),
            snapshot(GONE, "gone:1", 2, true),
            snapshot(GONE, "gone:2", 3, true)));
  }

  @Test
  void a_clone_that_goes_itself_gets_nothing() {
    DatasetName clone = ROOT.child("gone:9");
    assertEquals(
        List.of(new Step.Destroy(clone)),
        next(
            dataset(GONE, "", 5),
            snapshot(GONE, "gone:1", 2, true),
            dataset(clone, GONE + "@gone:1", 0)));
  }

  @Test
  void a_clone_that_cannot_be_seen_from_here_is_waited_for() {
    assertEquals(List.of(), next(dataset(GONE, "", 5), snapshot(GONE, "gone:1", 2, true)));
  }
}
