package dev.stapes.storage.zfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lists that are long, broken or rare; those of several versions are transcripts. */
class EntryTest {
  private static final String OPENZFS_2_3_2 =
      """
      stapes-0f/stapes\t-\t6\t98304\t-\t-
      stapes-0f/stapes/gone:1\t-\t8\t0\t-\t-
      stapes-0f/stapes/gone:1@gone:3\t-\t10\t98304\ton\t-
      stapes-0f/stapes/instances:b\tstapes-0f/stapes/gone:1@gone:3\t14\t0\t-\t-
      """;

  private static final String GUIDS =
      """
      17592186044416\ttank/stapes/images:i@images:i-1
      15241578753238836750\ttank/stapes/gone:1@snapshots:old
      15241578753238836750\ttank/stapes/gone 2@snapshots:old
      """;

  @Test
  void a_snapshot_is_found_by_its_unsigned_guid() {
    FakeHost host = FakeHost.builder().program("zfs", FakeProgram.printing(GUIDS)).build();
    DatasetName root = new DatasetName("tank/stapes");
    assertEquals(
        List.of(new Place(root.child("gone:1"), "snapshots:old")),
        FakeZfs.programs(host).snapshots(root, Long.parseUnsignedLong("15241578753238836750")));
  }

  @Test
  void as_many_are_listed_as_there_are() {
    FakeProgram snapshots =
        call -> {
          for (int n = 0; n < 100_000; n++) {
            String name = "x".repeat(150) + n;
            call.print("tank/stapes/instances:a@snapshots:" + name + "\t-\t5\t0\toff\t-\n");
          }
          return 0;
        };
    FakeHost host = FakeHost.builder().program("zfs", snapshots).build();
    DatasetName root = new DatasetName("tank/stapes");
    assertEquals(100_000, FakeZfs.programs(host).entries(root).size());
  }

  @Test
  void what_a_list_complains_goes_before_what_is_missing_in_it() {
    FakeProgram broken =
        call -> {
          call.print("tank/stapes\t-");
          call.stderr().write("cannot open 'tank': no such pool\n".getBytes(UTF_8));
          return 1;
        };
    FakeHost host = FakeHost.builder().program("zfs", broken).build();
    DatasetName root = new DatasetName("tank/stapes");
    StapesException error =
        assertThrows(StapesException.class, () -> FakeZfs.programs(host).entries(root));
    assertEquals(Kind.NOT_FOUND, error.kind(), error::toString);
  }

  @Test
  void datasets_snapshots_and_clones_are_read() {
    DatasetName root = new DatasetName("stapes-0f/stapes");
    DatasetName gone = root.child("gone:1");
    assertEquals(
        List.of(
            new Entry(Place.of(root), "", 6, 98304, false, 0),
            new Entry(Place.of(gone), "", 8, 0, false, 0),
            new Entry(new Place(gone, "gone:3"), "", 10, 98304, true, 0),
            new Entry(
                Place.of(root.child("instances:b")),
                "stapes-0f/stapes/gone:1@gone:3",
                14,
                0,
                false,
                0)),
        Entry.parse(OPENZFS_2_3_2));
  }
}
