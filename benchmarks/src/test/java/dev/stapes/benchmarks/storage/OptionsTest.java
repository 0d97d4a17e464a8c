package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void without_options_three_pools_are_measured_on_every_path() {
    Options options = Options.parse();
    assertEquals(Options.DEFAULT_RUNS, options.run().runs());
    assertEquals(List.of(StoragePath.values()), options.paths());
    assertEquals(List.of("btrfs", "dir", "overlay"), names(options));
    assertEquals(Scale.FULL, options.scale());
    assertEquals(Options.DEFAULT_SEED, options.seed());
    assertEquals(Optional.empty(), options.html());
    assertFalse(options.bar());
  }

  private static List<String> names(Options options) {
    return options.pools().stream().map(PoolChoice::name).toList();
  }

  @Test
  void all_can_be_said() {
    Options options =
        Options.parse(
            "--pools", "dir", "--mode", "quick", "--runs", "3", "--seed", "-7", "--html", "x.html",
            "--json", "x.json", "--bar", "yes");
    assertEquals(Scale.QUICK, options.scale());
    assertEquals(-7, options.seed());
    assertEquals(Optional.of(Path.of("x.html")), options.html());
    assertEquals(Optional.of(Path.of("x.json")), options.run().json());
    assertEquals(3, options.run().runs());
    assertTrue(options.bar());
  }

  @Test
  void pools_have_options_whose_values_may_have_colons() {
    String device = "/dev/disk/by-path/pci-0000:00:04.0";
    PoolChoice choice =
        PoolChoice.parse(List.of("btrfs:source=" + device + ":btrfs.mount_options=nobarrier"))
            .get(0);
    assertEquals(
        Map.of("source", device, "btrfs.mount_options", "nobarrier"),
        choice.spec().config().values());
    assertFalse(choice.isOwn());
    assertEquals("btrfs:btrfs.mount_options=nobarrier:source=" + device, choice.toString());
  }

  @Test
  void one_driver_may_have_several_pools() {
    Options options = Options.parse("--pools", "btrfs, btrfs:size=2GiB,dir");
    assertEquals(List.of("btrfs", "btrfs-2", "dir"), names(options));
    assertEquals(Map.of("size", "2GiB"), options.pools().get(1).spec().config().values());
  }

  @Test
  void paths_are_measured_in_one_order_and_once() {
    Options options = Options.parse("--paths", "snapshot,clone,clone");
    assertEquals(List.of(StoragePath.CLONE, StoragePath.SNAPSHOT), options.paths());
  }

  @Test
  void what_is_wrong_is_quoted() {
    assertSays("no path \"jump\": one of [create, ", "--paths", "jump");
    assertSays(
        "no storage driver \"foo\": one of [btrfs, dir, lvm, lvmcluster, overlay, zfs",
        "--pools",
        "dir,foo");
    assertSays("no storage driver \"\"", "--pools", "dir,");
    assertSays("pool dir has no option \"nope\": one of [", "--pools", "dir:nope=1");
    assertSays("no storage driver \"dir:source\"", "--pools", "dir:source");
    assertSays("--mode must be quick or full: \"slow\"", "--mode", "slow");
    assertSays("--seed must be a number: x", "--seed", "x");
    assertSays("--runs must be at least 1: 0", "--runs", "0");
    assertSays("unknown option \"--fast\": --pools, --paths, --mode", "--fast", "1");
    assertSays("--html needs a value", "--html");
  }

  private static void assertSays(String start, String... arguments) {
    var e = assertThrows(IllegalArgumentException.class, () -> Options.parse(arguments));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith(start), message);
  }

  @Test
  void a_series_has_a_point_for_each_number() {
    List<String> labels =
        Point.of(StoragePath.SNAPSHOT, Scale.FULL).stream().map(Point::label).toList();
    assertEquals(List.of("snapshot-1", "snapshot-100", "snapshot-10000"), labels);
    assertEquals("create", Point.of(StoragePath.CREATE, Scale.FULL).get(0).label());
  }
}
