package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException.Kind;
import dev.stapes.storage.zfs.Transcript.Said;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was recorded of several versions of OpenZFS itself is understood alike. */
class ZfsTranscriptsTest {
  private static final DatasetName ROOT = new DatasetName("tank/stapes");
  private static final String LIST = "zfs list -H -p -t filesystem,volume,snapshot -o ";
  private static final String GUIDS = "zfs list -H -p -t snapshot -o guid,name -r tank/stapes";
  private static final String ONE = "zfs list -H -p -t all -o ";

  static List<String> versions() {
    return Transcript.VERSIONS;
  }

  private static List<String> row(Transcript transcript, String beginning, int columns) {
    return ZfsTable.row(transcript.output(beginning), columns);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void the_programs_say_which_version_they_are(String version) {
    String[] said = Transcript.of(version).output("zfs version").split("\n", -1);
    String expected = version.substring(0, version.lastIndexOf('.'));
    assertEquals(
        expected, ZfsVersion.parse(said[0].substring("zfs-".length())).orElseThrow().toString());
    assertEquals(
        Optional.of(new ZfsVersion(2, 3)),
        ZfsVersion.parse(said[1].substring("zfs-kmod-".length())));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void datasets_snapshots_clones_and_block_devices_are_read(String version) {
    Transcript transcript = Transcript.of(version);
    assertTrue(transcript.all(LIST).get(0).command().contains(Entry.COLUMNS));
    Map<String, Entry> entries = new TreeMap<>();
    Entry.parse(transcript.output(LIST))
        .forEach(each -> entries.put(each.place().toString(), each));
    assertEquals(
        List.of(
            "tank/stapes",
            "tank/stapes/custom:disk",
            "tank/stapes/custom:disk@snapshots:disk",
            "tank/stapes/instances:a",
            "tank/stapes/instances:a@snapshots:one",
            "tank/stapes/instances:a@snapshots:two",
            "tank/stapes/instances:b",
            "tank/stapes@snapshots:root"),
        List.copyOf(entries.keySet()),
        "and not images:deb ian");
    Entry written = named(entries, "tank/stapes/instances:a");
    Entry one = named(entries, "tank/stapes/instances:a@snapshots:one");
    Entry two = named(entries, "tank/stapes/instances:a@snapshots:two");
    Entry clone = named(entries, "tank/stapes/instances:b");
    assertTrue(written.written() > 0 && two.written() == 0, entries::toString);
    assertTrue(one.deferred() && !two.deferred(), entries::toString);
    assertEquals(one.place().toString(), clone.origin());
    Entry root = named(entries, "tank/stapes@snapshots:root");
    assertEquals(root.created(), two.created(), "they are of one moment");
    assertTrue(clone.created() > one.created(), entries::toString);
    assertEquals(16L << 20, named(entries, "tank/stapes/custom:disk").blocks());
    assertEquals(16L << 20, named(entries, "tank/stapes/custom:disk@snapshots:disk").blocks());
    assertEquals(0, written.blocks());
  }

  private static Entry named(Map<String, Entry> entries, String name) {
    return Objects.requireNonNull(entries.get(name), name);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void snapshots_are_found_by_their_guid(String version) {
    String output = Transcript.of(version).output(GUIDS);
    List<String> first = ZfsTable.rows(output, 2).get(0);
    FakeHost host = FakeHost.builder().program("zfs", FakeProgram.printing(output)).build();
    assertEquals(
        List.of(Place.parse(first.get(1)).orElseThrow()),
        FakeZfs.programs(host).snapshots(ROOT, Long.parseUnsignedLong(first.get(0))));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void properties_are_read_also_where_there_are_none(String version) {
    Transcript transcript = Transcript.of(version);
    assertEquals(
        List.of("1", "0f0e", "-"),
        row(transcript, ONE + "dev.stapes:pool,dev.stapes:id,dev.stapes:directory", 3));
    assertEquals(
        List.of("33554432", "33554432"), row(transcript, ONE + "refquota,refreservation", 2));
    List<String> none = ZfsTable.row(transcript.all(ONE + "refquota").get(1).output(), 3);
    assertEquals(List.of(0L, 0L, 0L), none.stream().map(ZfsTable::number).toList());
    List<String> space = row(transcript, ONE + "used,available tank", 2);
    assertTrue(ZfsTable.number(space.get(0)) > 0 && ZfsTable.number(space.get(1)) > 1 << 20);
    assertEquals(16L << 20, ZfsTable.number(row(transcript, ONE + "volsize", 1).get(0)));
    List<String> pool = row(transcript, "zpool list -H -p -o size,allocated tank", 2);
    assertTrue(ZfsTable.number(pool.get(0)) > ZfsTable.number(pool.get(1)), pool::toString);
    assertEquals(List.of("tank"), row(transcript, "zpool list -H -p -o name tank", 1));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void files_of_zpools_are_found(String version) {
    Transcript transcript = Transcript.of(version);
    for (Said said : transcript.all("zpool list -v -H -P -L")) {
      boolean there = said.code() == 0;
      assertEquals(there ? List.of(Path.of("/tmp/w/disk")) : List.of(), Zfs.paths(said.output()));
    }
    List<Said> importable = transcript.all("zpool import -d /tmp/w/disk");
    assertTrue(importable.get(0).output().contains("pool:"), importable::toString);
    assertFalse(importable.get(1).output().contains("pool:"), "it was destroyed");
  }

  /** What failed, by the beginning of the command. */
  private static final Map<String, Kind> FAILED =
      Map.ofEntries(
          Map.entry("zfs create tank/stapes/instances:a", Kind.CONFLICT),
          Map.entry("zfs create tank/stapes/instances:x", Kind.INVALID),
          Map.entry("zfs create tank/none", Kind.NOT_FOUND),
          Map.entry("zfs snapshot", Kind.CONFLICT),
          Map.entry("zfs clone", Kind.NOT_FOUND),
          Map.entry("zfs rename tank/stapes/instances:b", Kind.CONFLICT),
          Map.entry("zfs rename tank/stapes/instances:none", Kind.NOT_FOUND),
          Map.entry("zfs rollback", Kind.INTERNAL),
          Map.entry("zfs promote", Kind.INTERNAL),
          Map.entry("zfs destroy tank", Kind.BUSY),
          Map.entry("zfs destroy -d", Kind.NOT_FOUND),
          Map.entry("zfs set refreservation", Kind.EXHAUSTED),
          Map.entry("zfs set volsize", Kind.INVALID),
          Map.entry("zfs set quota", Kind.EXHAUSTED),
          Map.entry("zfs set recordsize", Kind.INVALID),
          Map.entry("zfs list", Kind.NOT_FOUND),
          Map.entry("zpool list", Kind.NOT_FOUND),
          Map.entry("zpool export", Kind.NOT_FOUND),
          Map.entry("zpool import -N -o cachefile=none -d /tmp/w/blank", Kind.NOT_FOUND),
          Map.entry("zpool import -N -o cachefile=none -d /tmp/w/disk tank", Kind.CONFLICT),
          Map.entry("zpool create -m none none /tmp/w/disk", Kind.CONFLICT),
          Map.entry("zpool create -m none tank", Kind.CONFLICT));

  @ParameterizedTest
  @MethodSource("versions")
  void what_is_refused_has_a_kind(String version) {
    Transcript transcript = Transcript.of(version);
    FAILED.forEach(
        (beginning, kind) -> {
          List<Said> refused =
              transcript.all(beginning).stream().filter(said -> said.code() != 0).toList();
          assertFalse(refused.isEmpty(), beginning);
          for (Said said : refused) {
            String error = "program zfs: exit code " + said.code() + ": " + said.complaint();
            assertEquals(kind, ZfsFailure.kind(error), said::toString);
          }
        });
  }

  /** The older programs take an error that they do not know for a defect, and abort. */
  @Test
  void versions_differ_in_what_they_say_of_a_zvol_that_is_too_large() {
    Said older = Transcript.of("2.1.11").all("zfs create -V").get(0);
    assertEquals(134, older.code());
    assertEquals(Kind.INTERNAL, ZfsFailure.kind(older.complaint()));
    Said newer = Transcript.of("2.3.2").all("zfs create -V").get(0);
    assertEquals(1, newer.code());
    assertEquals(Kind.EXHAUSTED, ZfsFailure.kind(newer.complaint()));
  }

  /** Exit codes differ as well, so nothing but the complaint is read. */
  @Test
  void versions_differ_in_the_exit_code_of_a_value_that_does_not_fit() {
    assertEquals(1, Transcript.of("2.1.11").all("zfs set recordsize").get(0).code());
    assertEquals(255, Transcript.of("2.3.2").all("zfs set recordsize").get(0).code());
  }
}
