package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.benchmarks.Lane;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VolumeLanesTest {
  private static final Scale SCALE =
      new Scale("tiny", 1, 2, 2048, 8192, List.of(2), 2, Duration.ZERO, List.of(1, 3), 3, 1, 1);

  private RecordedVolumes volumes;
  private VolumeLanes lanes;

  @SuppressWarnings("NullAway.Init") // JUnit calls begin() first
  VolumeLanesTest() {}

  @BeforeEach
  void begin(@TempDir Path directory) {
    volumes = new RecordedVolumes(directory);
    lanes = new VolumeLanes(volumes, new Inputs(SCALE, 1, directory.resolve("tar")), directory);
  }

  private Lane open(StoragePath path, int at) throws IOException, InterruptedException {
    return lanes.open(new Point(path, at));
  }

  private List<String> timed(Lane lane) throws IOException, InterruptedException {
    lane.before();
    volumes.said();
    lane.run();
    return volumes.said();
  }

  private static final List<String> SAMPLE =
      List.of("create sample", "open sample", "close sample", "snapshot sample base");

  @Test
  void what_is_cloned_is_made_once() throws Exception {
    open(StoragePath.CLONE, 0);
    assertEquals(SAMPLE, volumes.said());
    open(StoragePath.CLONE, 0);
    open(StoragePath.DELETE, 0);
    assertEquals(List.of(), volumes.said());
  }

  @Test
  void what_could_not_be_made_is_removed_and_made_anew() throws Exception {
    volumes.fail("snapshot sample base");
    assertThrows(IOException.class, () -> open(StoragePath.CLONE, 0));
    assertEquals(
        List.of("create sample", "open sample", "close sample", "delete sample", "reclaim"),
        volumes.said());
    volumes.fail("open sample");
    assertThrows(IOException.class, () -> open(StoragePath.CLONE, 0));
    assertEquals(List.of("create sample", "delete sample", "reclaim"), volumes.said());
    volumes.fail("");
    open(StoragePath.CLONE, 0);
    assertEquals(SAMPLE, volumes.said());
    volumes.fail("open sample");
    assertThrows(IOException.class, () -> open(StoragePath.DIFF, 0));
    assertEquals(List.of("restore sample base"), volumes.said());
    volumes.fail("");
    open(StoragePath.DIFF, 0);
    assertTrue(volumes.said().contains("snapshot sample changed"));
  }

  @Test
  void a_volume_that_could_not_be_filled_ages_when_it_was() throws Exception {
    long later = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    volumes.fail("open aged");
    assertThrows(IOException.class, () -> lanes.age(1, later));
    volumes.fail("");
    assertEquals(1, lanes.age(1, later));
    assertTrue(volumes.said().containsAll(List.of("delete aged", "snapshot aged old-0")));
  }

  @Test
  void each_run_has_a_name_of_its_own_and_removes_what_it_made() throws Exception {
    Lane lane = open(StoragePath.CLONE, 0);
    assertEquals(List.of("clone sample base clone-1"), timed(lane));
    lane.after();
    assertEquals(List.of("delete clone-1", "reclaim"), volumes.said());
    assertEquals(List.of("clone sample base clone-2"), timed(lane));
  }

  @Test
  void only_what_the_path_is_about_is_timed() throws Exception {
    assertEquals(List.of("restore restore-1 kept"), timed(open(StoragePath.RESTORE, 0)));
    assertEquals(List.of("delete delete-1"), timed(open(StoragePath.DELETE, 0)));
    assertEquals(List.of("reclaim"), timed(open(StoragePath.RECLAIM, 0)));
    assertEquals(List.of("send sample base"), timed(open(StoragePath.SEND, 0)));
    assertEquals(List.of("send sample changed base"), timed(open(StoragePath.DIFF, 0)));
    assertEquals(List.of("receive receive-1"), timed(open(StoragePath.RECEIVE, 0)));
    assertEquals(List.of("unpack unpack-1"), timed(open(StoragePath.UNPACK, 0)));
    assertEquals(List.of("snapshot aged snapshot-2-1"), timed(open(StoragePath.SNAPSHOT, 2)));
  }

  @Test
  void the_first_write_goes_to_a_clone_that_is_open_already() throws Exception {
    Lane lane = open(StoragePath.FIRST_WRITE, 0);
    volumes.said();
    lane.before();
    assertEquals(List.of("clone large base first-write-1", "open first-write-1"), volumes.said());
    // The clone is a directory without the file here.
    assertThrows(IOException.class, lane::run);
    lane.after();
    assertEquals(List.of("close first-write-1", "delete first-write-1", "reclaim"), volumes.said());
  }

  @Test
  void a_first_write_that_was_cut_short_leaves_nothing_open() throws Exception {
    try (Lane lane = open(StoragePath.FIRST_WRITE, 0)) {
      lane.before();
      volumes.said();
    }
    assertEquals(List.of("close first-write-1"), volumes.said());
  }

  @Test
  void parallel_clones_are_as_many_whatever_the_threads() throws Exception {
    for (int threads : SCALE.threads()) {
      try (Lane lane = open(StoragePath.CLONES, threads)) {
        String prefix = "clone small base by-" + threads + "-1-";
        assertEquals(Set.of(prefix + 0, prefix + 1, prefix + 2), Set.copyOf(timed(lane)));
        lane.after();
        assertEquals(4, volumes.said().size());
      }
    }
  }

  @Test
  void snapshots_that_are_deleted_together_differ_from_each_other() throws Exception {
    Lane lane = open(StoragePath.DELETE_SNAPSHOTS, 2);
    assertEquals(
        List.of("delete delete-snapshots-2-1 s0", "delete delete-snapshots-2-1 s1", "reclaim"),
        timed(lane));
    lane.after();
    assertEquals(List.of("delete delete-snapshots-2-1", "reclaim"), volumes.said());
  }

  @Test
  void a_clone_that_fails_among_others_is_not_a_result() throws Exception {
    try (Lane lane = open(StoragePath.CLONES, 3)) {
      volumes.fail("clone small base by-3-1-1");
      lane.before();
      var e = assertThrows(IOException.class, lane::run);
      assertTrue(String.valueOf(e.getMessage()).contains("broken"), e.getMessage());
    }
  }

  @Test
  void a_volume_ages_no_further_than_the_time_allows() throws Exception {
    long later = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    assertEquals(3, lanes.age(3, later));
    assertTrue(volumes.said().contains("snapshot aged old-2"));
    assertEquals(3, lanes.age(10, System.nanoTime() - 1));
    assertFalse(volumes.said().contains("snapshot aged old-3"));
  }

  @Test
  void ageing_can_be_interrupted() {
    Thread.currentThread().interrupt();
    assertThrows(
        InterruptedException.class,
        () -> lanes.age(10, System.nanoTime() + Duration.ofMinutes(1).toNanos()));
  }
}
