package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.lvm.Transcript.Said;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.Faults;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was recorded of several versions of LVM itself is understood alike. */
class LvmTranscriptsTest {
  private static final Lvm NONE = new Lvm(FakeHost.create(), "pool p", List.of());
  private static final PoolVolumes THIN = PoolVolumes.thin(NONE, "g", "p");
  private static final PoolVolumes PLAIN = PoolVolumes.plain(NONE, "g", "m", "stapes_m");

  static List<String> versions() {
    return Transcript.VERSIONS;
  }

  private static LvmRow row(String version, String command, String end) throws Exception {
    return LvmReport.only(Transcript.of(version).rows(command, end));
  }

  @Test
  void the_programs_say_which_version_they_are() {
    for (String version : Transcript.VERSIONS) {
      String said = Transcript.of(version).output("version");
      assertEquals(version, LvmVersion.of(said).orElseThrow().toString());
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void groups_and_devices_are_read(String version) throws Exception {
    Transcript transcript = Transcript.of(version);
    List<LvmRow> rows = transcript.rows("vgs", VolumeGroup.FIELDS + " g");
    assertEquals(new VolumeGroup(1022 << 20, 1 << 20), VolumeGroup.of(LvmReport.only(rows)));
    assertEquals(
        new Space.Usage(1022 << 20, 0),
        PlainVolumes.usage(row(version, "vgs", "vg_size,vg_free g")));
    assertEquals("", row(version, "vgs", "vg_lock_type g").text("vg_lock_type"));
    List<Said> tags = transcript.all("vgs", "vg_name,vg_tags");
    assertEquals(List.of("stapes.group=stapes_m"), tags.get(0).rows().get(0).list("vg_tags"));
    assertEquals(List.of(), tags.get(1).rows());
    List<Said> devices = transcript.all("pvs", "vg_name");
    assertEquals("g", LvmReport.only(devices.get(0).rows()).text("vg_name"));
    assertEquals("", LvmReport.only(devices.get(1).rows()).text("vg_name"));
  }

  private static PoolContent content(String version, PoolVolumes pool, int which)
      throws LvmReport.Malformed {
    List<Said> all = Transcript.of(version).all("lvs", PoolContent.FIELDS + " g");
    return PoolContent.of(pool, all.get(which).rows());
  }

  @ParameterizedTest
  @MethodSource("versions")
  void what_is_in_a_thin_pool_is_read(String version) throws Exception {
    assertEquals(List.of(), Transcript.of(version).rows("lvs", PoolContent.FIELDS + " g"));
    VolumeId disk = new VolumeId(VolumeId.Kind.CUSTOM, "disk");
    VolumeId snapshot = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.b");
    Optional<VolumeFormat> ext4 = Optional.of(VolumeFormat.EXT4);
    PoolContent expected =
        new PoolContent(
            THIN,
            List.of(
                new ThinVolume("v1", instance("a"), ext4, false, false, 100 << 20),
                new ThinVolume("v2", snapshot, ext4, true, false, 100 << 20),
                new ThinVolume("v3", disk, Optional.empty(), false, false, 8 << 20)),
            List.of(),
            List.of(),
            List.of("v1"),
            List.of());
    assertEquals(expected, content(version, THIN, 1));
    Said all = Transcript.of(version).all("lvs", "--options " + PoolContent.FIELDS).get(0);
    assertEquals(expected, PoolContent.of(THIN, all.rows()));
  }

  private static VolumeId instance(String name) {
    return new VolumeId(VolumeId.Kind.INSTANCE, name);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void what_is_in_a_group_without_a_thin_pool_is_read(String version) throws Exception {
    Optional<VolumeFormat> ext4 = Optional.of(VolumeFormat.EXT4);
    PoolContent expected =
        new PoolContent(
            PLAIN,
            List.of(new ThinVolume("w1", instance("a"), ext4, false, false, 64 << 20)),
            List.of(),
            List.of("w3", "w2"),
            List.of("w1", "w2", "w3"),
            List.of());
    assertEquals(expected, content(version, PLAIN, 2));
    assertEquals(expected, content(version, PLAIN, 3), "its snapshot is full");
  }

  @ParameterizedTest
  @MethodSource("versions")
  void the_fullness_of_pools_and_volumes_is_read(String version) throws Exception {
    List<Said> all = Transcript.of(version).all("lvs", Fullness.FIELDS + " g/p");
    Fullness before = Fullness.of(LvmReport.only(all.get(0).rows()));
    Fullness after = Fullness.of(LvmReport.only(all.get(1).rows()));
    assertEquals(200 << 20, before.size());
    assertEquals(4 << 20, before.metadataSize());
    assertTrue(before.data() > 10 && before.data() < 20, before::toString);
    assertTrue(before.metadata() > 5 && before.metadata() < 20, before::toString);
    assertEquals(250 << 20, after.size());
    assertEquals(8 << 20, after.metadataSize());
    Fullness full = Fullness.of(row(version, "lvs", Fullness.FIELDS + " g/q"));
    assertEquals(100, full.data());
    assertTrue(full.problem().isPresent());
    double percent =
        row(version, "lvs", "lv_size,data_percent g/v1").percent("data_percent").orElse(0);
    assertTrue(percent > 20 && percent < 40, percent + " %");
  }

  @ParameterizedTest
  @MethodSource("versions")
  void one_volume_is_read(String version) throws Exception {
    assertEquals(100 << 20, row(version, "lvs", "--options lv_size g/v1").number("lv_size"));
    assertEquals(
        Set.of("stapes.format=ext4", "stapes.volume=instances/a"),
        Set.copyOf(row(version, "lvs", "--options lv_tags g/v1").list("lv_tags")));
    assertEquals(2, row(version, "lvs", "--options thin_id,lv_size g/v2").number("thin_id"));
  }

  /** Newer ones look at what is on it, unless they are told not to; older ones cannot be told. */
  @ParameterizedTest
  @MethodSource("versions")
  void a_volume_is_made_smaller_in_the_way_of_the_version(String version) throws Exception {
    FakeHost host =
        FakeHost.builder()
            .program("lvm", FakeProgram.printing(Transcript.of(version).output("version")))
            .build();
    PoolVolumes plain = PoolVolumes.plain(new Lvm(host, "pool p", List.of()), "g", "m", "stapes_m");
    new PlainVolumes(plain).reduce("w2", 40 << 20);
    String asked = String.join(" ", host.commands().get(1).arguments());
    String options = asked.substring("lvm lvreduce".length());
    Said said = Transcript.of(version).all("lvreduce", options).get(0);
    assertEquals(0, said.code(), said::toString);
    assertEquals(40 << 20, row(version, "lvs", "--options lv_size g/w2").number("lv_size"));
  }

  @Test
  void a_newer_version_refuses_to_make_a_volume_smaller_that_it_looks_at() {
    Said said = Transcript.of("2.03.31").all("lvreduce", "--force --size 98304k g/v2").get(0);
    assertEquals(5, said.code(), said::toString);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void a_snapshot_that_is_full_is_over(String version) throws Exception {
    List<Said> said = Transcript.of(version).all("lvs", "--options lv_snapshot_invalid g/w3");
    assertFalse(PlainVolumes.isOver(LvmReport.only(said.get(0).rows())));
    assertTrue(PlainVolumes.isOver(LvmReport.only(said.get(1).rows())));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void extents_are_read_as_arguments(String version) throws Exception {
    Transcript transcript = Transcript.of(version);
    List<String> one = PlainVolumes.extents(transcript.rows("lvs", "seg_pe_ranges g/w4"));
    assertEquals(1, one.size(), one::toString);
    assertTrue(one.get(0).matches("/dev/disk:[0-9]+-[0-9]+"), one::toString);
    Said grown = transcript.all("lvextend", " g/w1 " + one.get(0)).get(0);
    assertEquals(0, grown.code(), grown::toString);
    List<String> both = PlainVolumes.extents(transcript.rows("lvs", "seg_pe_ranges g/w1"));
    assertEquals(one.get(0), both.get(both.size() - 1));
  }

  /** What failed: a command, its last words, and what that is. */
  private static final Map<List<String>, Kind> FAILED =
      Map.ofEntries(
          Map.entry(List.of("lvcreate", "--name v1 --addtag stapes.trash g"), Kind.CONFLICT),
          Map.entry(
              List.of("lvcreate", "--name w1 --addtag stapes.trash --addtag stapes.of=stapes_m g"),
              Kind.CONFLICT),
          Map.entry(List.of("lvcreate", "--name v9 --addtag stapes.trash g"), Kind.NOT_FOUND),
          Map.entry(List.of("lvcreate", "--addtag stapes.trash g/none"), Kind.NOT_FOUND),
          Map.entry(List.of("lvcreate", "--name u2 --addtag stapes.trash g"), Kind.EXHAUSTED),
          Map.entry(
              List.of("lvcreate", "--name w9 --addtag stapes.trash --addtag stapes.of=stapes_m g"),
              Kind.EXHAUSTED),
          Map.entry(List.of("lvextend", "--size +10485760k g/p"), Kind.EXHAUSTED),
          Map.entry(List.of("lvextend", "--poolmetadatasize +2097152k g/p"), Kind.EXHAUSTED),
          Map.entry(
              List.of("lvcreate", "--addtag stapes.pool=stapes_m --name q g"), Kind.EXHAUSTED),
          Map.entry(List.of("lvextend", "--size 131072k g/w1"), Kind.BUSY),
          Map.entry(List.of("vgcreate", "stapes_m g /dev/disk"), Kind.CONFLICT),
          Map.entry(List.of("vgcreate", "stapes_m h /dev/disk"), Kind.CONFLICT),
          Map.entry(List.of("lvs", "lv_size g/none"), Kind.NOT_FOUND),
          Map.entry(List.of("lvs", " none"), Kind.NOT_FOUND),
          Map.entry(List.of("vgs", " none"), Kind.NOT_FOUND),
          Map.entry(List.of("lvchange", "g/none"), Kind.NOT_FOUND),
          Map.entry(List.of("lvremove", "g/none"), Kind.NOT_FOUND),
          Map.entry(List.of("lvreduce", "g/none"), Kind.NOT_FOUND),
          Map.entry(List.of("lvremove", "--yes g/v1"), Kind.BUSY),
          Map.entry(List.of("lvremove", "--yes g/w1"), Kind.BUSY),
          Map.entry(List.of("lvchange", "--activate n g/v1"), Kind.BUSY),
          Map.entry(List.of("lvchange", "--addtag stapes.trash g/v1"), Kind.BUSY));

  @ParameterizedTest
  @MethodSource("versions")
  void what_is_refused_has_a_kind(String version) {
    Transcript transcript = Transcript.of(version);
    FAILED.forEach(
        (words, kind) -> {
          List<Said> refused =
              transcript.all(words.get(0), words.get(1)).stream()
                  .filter(said -> said.code() != 0)
                  .toList();
          assertFalse(refused.isEmpty(), words::toString);
          for (Said said : refused) {
            String error = "program lvm: exit code " + said.code() + ": " + said.complaint();
            assertEquals(kind, LvmErrors.kind(error), said::toString);
          }
        });
  }

  @ParameterizedTest
  @MethodSource("versions")
  void a_group_of_several_machines_needs_its_daemon(String version) {
    List<Said> said =
        Transcript.of(version).said().stream()
            .filter(one -> one.command().contains(" --shared "))
            .toList();
    assertFalse(said.isEmpty());
    for (Said one : said) {
      assertEquals(Kind.UNAVAILABLE, LvmErrors.kind(one.complaint()), one::toString);
    }
  }

  /** Nothing is asked of LVM that no version was asked. */
  @ParameterizedTest
  @MethodSource("versions")
  void all_options_and_columns_of_the_driver_were_recorded(
      String version, @TempDir Path directory) {
    Set<String> recorded = new TreeSet<>();
    Transcript.of(version).said().stream()
        .filter(said -> said.code() == 0)
        .forEach(said -> recorded.addAll(words(List.of(said.command().split(" ", -1)))));
    Set<String> asked = new TreeSet<>();
    PoolSpec spec = LvmWorld.SPEC.with("volume.size", "64MiB");
    asked.addAll(asked(directory, spec));
    asked.addAll(asked(directory, spec.with("lvm.use_thinpool", "false")));
    asked.removeAll(recorded);
    assertEquals(Set.of(), asked);
  }

  private static Set<String> asked(Path directory, PoolSpec spec) {
    VolumeId disk = new VolumeId(VolumeId.Kind.CUSTOM, "disk");
    try (LvmWorld world = new LvmWorld(directory, spec, new Faults())) {
      StoragePool pool = world.pool();
      pool.create(instance("a"));
      pool.copy(instance("a"), instance("b"), false);
      pool.blockVolumes().orElseThrow().create(disk, Size.ofMebibytes(8));
      pool.blockVolumes().orElseThrow().grow(disk, Size.ofMebibytes(16));
      world.reopen();
      world.pool().info();
      world.pool().discard(instance("a"));
      world.pool().reclaim();
      return world.commands("lvm ").stream()
          .flatMap(line -> words(List.of(line.split(" ", -1))).stream())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** The command with its options, and columns that are asked for. */
  private static Set<String> words(List<String> command) {
    Set<String> words = new TreeSet<>();
    for (int i = 2; i < command.size(); i++) {
      String word = command.get(i);
      if (word.equals("--options")) {
        Stream.of(command.get(i + 1).split(",", -1)).forEach(words::add);
      } else if (word.startsWith("--")) {
        words.add(command.get(1) + " " + word);
      }
    }
    return words;
  }
}
