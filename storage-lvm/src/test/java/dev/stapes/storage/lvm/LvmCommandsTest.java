package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.storage.lvm.ThinMap.Range;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.Faults;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Commands on a thin pool, and looks into its metadata. */
class LvmCommandsTest {
  private static final String ROW =
      "{\"report\":[{\"lv\":[{\"thin_id\":\"7\",\"lv_size\":\"1048576\"}]}]}";

  private final Holding stream = new Holding("pool p");
  private final List<String> messages = Collections.synchronizedList(new ArrayList<>());

  private static PoolVolumes pool(FakeHost host) {
    return PoolVolumes.thin(new Lvm(host, "pool p", List.of()), FakeLvm.GROUP, "thin");
  }

  private static List<String> commands(FakeHost host) {
    return host.commands().stream().map(command -> command.arguments().get(1)).toList();
  }

  /** A machine whose thin_dump does what a test wants. */
  private FakeHost dumping(FakeProgram dump) {
    return FakeHost.builder()
        .program("lvm", FakeProgram.printing(ROW))
        .program(
            "dmsetup",
            call -> {
              messages.add(call.arguments().get(4));
              return 0;
            })
        .program("thin_dump", dump)
        .build();
  }

  @Test
  void changes_have_a_day_and_questions_ten_minutes() {
    FakeHost host = FakeHost.builder().program("lvm", FakeProgram.printing(ROW)).build();
    pool(host).activate("v1");
    pool(host).remove(List.of("v1"));
    new ThinPool(pool(host)).snapshot("v1", "v3", List.of(VolumeTags.TRASH));
    assertEquals(1 << 20, pool(host).size("v1"));
    for (Command command : host.commands()) {
      boolean question = command.arguments().get(1).equals("lvs");
      Duration limit = question ? Duration.ofMinutes(10) : Duration.ofDays(1);
      assertEquals(limit, command.timeout(), command.toString());
    }
    assertEquals(List.of("lvchange", "lvremove", "lvcreate", "lvs"), commands(host));
  }

  @Test
  void a_volume_of_another_size_is_made_larger_or_smaller() {
    FakeHost host = FakeHost.builder().program("lvm", FakeProgram.printing(ROW)).build();
    ThinPool thin = new ThinPool(pool(host));
    thin.resize("v1", true, 2 << 20);
    thin.resize("v1", false, 512 << 10);
    assertEquals(List.of("lvextend", "version", "lvreduce"), commands(host));
    assertTrue(host.commands().get(2).arguments().contains("512k"));
    assertFalse(host.commands().get(2).arguments().contains("--fs"));
  }

  @Test
  void a_version_that_looks_at_file_systems_is_told_not_to() {
    FakeHost host =
        FakeHost.builder()
            .program("lvm", FakeProgram.printing("  LVM version:     2.03.31(2) (2025-02-27)\n"))
            .build();
    new ThinPool(pool(host)).resize("v1", false, 512 << 10);
    List<String> last = host.commands().get(1).arguments();
    assertEquals("ignore", last.get(last.indexOf("--fs") + 1), last.toString());
  }

  /** What a host answers where a program writes more than it takes. */
  @Test
  void of_a_volume_of_very_many_parts_all_is_read() {
    Faults faults = new Faults();
    FakeHost machine = dumping(FakeProgram.printing("much"));
    Host host = faults.wrap(Host.class, machine);
    ThinMetadata metadata = new ThinMetadata(host, "pool p", pool(machine));
    faults.failNth(2, () -> new StapesException(Kind.EXHAUSTED, "program thin_dump", "too much"));
    assertEquals(List.of(new Range(0, 1 << 20)), metadata.mapped("v1", stream).ranges());
    assertEquals(List.of("reserve_metadata_snap", "release_metadata_snap"), messages);
  }

  @Test
  void a_look_that_fails_lets_the_metadata_go() {
    FakeHost host = dumping(FakeProgram.failing(1, "bad checksum"));
    ThinMetadata metadata = new ThinMetadata(host, "pool p", pool(host));
    StapesException error =
        assertThrows(StapesException.class, () -> metadata.mapped("v1", stream));
    assertEquals(Kind.INTERNAL, error.kind(), error.toString());
    assertEquals(List.of("reserve_metadata_snap", "release_metadata_snap"), messages);
  }

  /** The kernel has done what it was told to, and who told it was interrupted before he knew. */
  @Test
  void who_is_interrupted_while_he_reserves_lets_the_metadata_go() {
    Thread caller = Thread.currentThread();
    FakeHost host =
        FakeHost.builder()
            .program("lvm", FakeProgram.printing(ROW))
            .program(
                "dmsetup",
                call -> {
                  messages.add(call.arguments().get(4));
                  if (messages.size() == 1) {
                    caller.interrupt();
                    Thread.currentThread().join();
                  }
                  return 0;
                })
            .build();
    ThinMetadata metadata = new ThinMetadata(host, "pool p", pool(host));
    StapesException error =
        assertThrows(StapesException.class, () -> metadata.mapped("v1", stream));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, error.kind(), error.toString());
    assertEquals(List.of("reserve_metadata_snap", "release_metadata_snap"), messages);
  }

  /** It may take an hour, and only reads. */
  @Test
  void a_look_ends_with_its_stream_and_lets_the_metadata_go() throws Exception {
    CountDownLatch looking = new CountDownLatch(1);
    FakeHost host = dumping(waiting(looking));
    ThinMetadata metadata = new ThinMetadata(host, "pool p", pool(host));
    ExecutorService behind = Executors.newSingleThreadExecutor();
    try {
      Future<?> look = behind.submit(() -> metadata.mapped("v1", stream));
      assertTrue(looking.await(60, TimeUnit.SECONDS));
      stream.end();
      metadata.awaitEnd();
      assertEquals(List.of("reserve_metadata_snap", "release_metadata_snap"), messages);
      ExecutionException error =
          assertThrows(ExecutionException.class, () -> look.get(60, TimeUnit.SECONDS));
      StapesException cause = assertInstanceOf(StapesException.class, error.getCause());
      assertEquals(Kind.UNAVAILABLE, cause.kind(), cause.toString());
      StapesException ended =
          assertThrows(StapesException.class, () -> metadata.mapped("v1", stream));
      assertEquals(Kind.UNAVAILABLE, ended.kind(), ended.toString());
    } finally {
      behind.shutdownNow();
    }
  }

  @Test
  void who_waits_for_another_one_s_look_can_be_interrupted() throws Exception {
    CountDownLatch looking = new CountDownLatch(1);
    FakeHost host = dumping(waiting(looking));
    ThinMetadata metadata = new ThinMetadata(host, "pool p", pool(host));
    ExecutorService behind = Executors.newSingleThreadExecutor();
    try {
      Future<?> look = behind.submit(() -> metadata.mapped("v1", stream));
      assertTrue(looking.await(60, TimeUnit.SECONDS));
      Thread.currentThread().interrupt();
      StapesException error =
          assertThrows(StapesException.class, () -> metadata.mapped("v2", new Holding("pool p")));
      assertTrue(Thread.interrupted());
      assertEquals(Kind.INTERRUPTED, error.kind(), error.toString());
      stream.end();
      assertThrows(ExecutionException.class, () -> look.get(60, TimeUnit.SECONDS));
    } finally {
      behind.shutdownNow();
    }
  }

  @Test
  void who_is_interrupted_while_he_looks_lets_the_metadata_go() {
    Thread caller = Thread.currentThread();
    FakeHost host =
        dumping(
            call -> {
              caller.interrupt();
              Thread.currentThread().join();
              return 0;
            });
    ThinMetadata metadata = new ThinMetadata(host, "pool p", pool(host));
    StapesException error =
        assertThrows(StapesException.class, () -> metadata.mapped("v1", stream));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, error.kind(), error.toString());
    assertEquals(List.of("reserve_metadata_snap", "release_metadata_snap"), messages);
  }

  /** A program that does not end by itself. */
  private static FakeProgram waiting(CountDownLatch begun) {
    return call -> {
      begun.countDown();
      Thread.currentThread().join();
      return 0;
    };
  }

  @Test
  void a_device_that_two_hold_goes_with_the_last() {
    FakeHost host = FakeHost.builder().program("lvm", FakeProgram.printing("")).build();
    ActiveVolumes active = new ActiveVolumes("pool p", pool(host), List.of());
    active.hold("v1");
    active.hold("v1");
    active.letGo("v1");
    assertEquals(1, host.commands().size());
    active.letGo("v1");
    assertTrue(host.commands().get(1).arguments().containsAll(List.of("--activate", "n")));
    active.hold("v1");
    assertEquals(3, host.commands().size());
  }

  @Test
  void a_file_grows_by_what_fits_below_it_and_not_by_what_it_has_not_taken_yet() {
    long gib = 1L << 30;
    assertEquals(12 * gib, LoopBacking.next(10 * gib, 9 * gib, 100 * gib, 20 * gib));
    assertEquals(11 * gib, LoopBacking.next(10 * gib, 9 * gib, 100 * gib, 11 * gib));
    assertEquals(11 * gib, LoopBacking.next(10 * gib, 10 * gib, gib, 20 * gib));
    assertEquals(3 * gib, LoopBacking.next(10 * gib, 2 * gib, gib, 20 * gib));
  }

  @Test
  void the_directory_of_a_pool_stands_in_a_tag() throws Exception {
    Path directory = Path.of("/var/lib/a b,c");
    Placement place = new Placement(Optional.empty(), directory);
    assertEquals("stapes.directory=/var/lib/a#20b#2cc", place.tag());
    assertEquals(Optional.of(place), Placement.of(place.tag()));
    Sharer sharer = new Sharer(7, LvmNames.fresh());
    Placement shared = new Placement(Optional.of(sharer), directory);
    assertEquals("stapes.directory.7=" + sharer.owner() + "/var/lib/a#20b#2cc", shared.tag());
    assertEquals(Optional.of(shared), Placement.of(shared.tag()));
    assertEquals(Optional.empty(), Placement.of(VolumeTags.PLAIN));
  }
}
