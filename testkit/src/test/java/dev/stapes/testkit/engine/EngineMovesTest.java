package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An instance that moves to another root directory: whatever fails, there is one of it. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineMovesTest {
  private static final EngineWorld.Setup MOVING =
      EngineWorld.Setup.usual().driver(MovingInstances::new);
  private static final String NOTE = "a disk that moves";
  private static final int MORE_THAN_ENOUGH = 1000;

  /** Two root directories; in the first one an instance runs. */
  private static final class Pair implements AutoCloseable {
    private final Faults faults = new Faults();
    private final EngineWorld here = EngineWorld.create(faults, MOVING);
    private final EngineWorld there = EngineWorld.create(faults, MOVING);

    Pair() {
      Instance vm = here.stapes().instances().create(spec("vm").build());
      vm.start();
      vm.files().write("/root.img", NOTE.getBytes(StandardCharsets.UTF_8));
    }

    Instance vm() {
      return here.stapes().instances().get("vm");
    }

    Instance move() {
      return move(Progress.NONE);
    }

    Instance move(Progress progress) {
      return vm().migrateTo(there.stapes(), "moved", progress);
    }

    /** All that go on, by the names that they have. */
    Set<String> going() {
      Set<String> all = new TreeSet<>();
      for (EngineWorld world : List.of(here, there)) {
        for (InstanceInfo info : world.stapes().instances().list()) {
          if (info.status() == InstanceStatus.RUNNING) {
            all.add(info.name());
          }
        }
      }
      return all;
    }

    /** Opens both once more, one after the other: the name of the only one that there is then. */
    String settled(boolean sourceFirst) {
      quietly(here.stapes());
      quietly(there.stapes());
      (sourceFirst ? here : there).openAgain();
      (sourceFirst ? there : here).openAgain();
      there.reopen(); // what both know is removed
      int run = here.room().running().size() + there.room().running().size();
      assertEquals(1, run, "machines that run");
      List<Instance> all = new ArrayList<>();
      for (Stapes each : List.of(here.stapes(), there.stapes())) {
        each.instances().list().forEach(info -> all.add(each.instances().get(info.id())));
      }
      assertEquals(1, all.size(), all::toString);
      Instance one = all.get(0);
      assertEquals(InstanceStatus.RUNNING, one.info().status());
      String disk = new String(one.files().read("/root.img"), StandardCharsets.UTF_8);
      assertEquals(NOTE, disk.substring(0, NOTE.length()));
      String name = one.info().name();
      here.stapes().close();
      there.stapes().close();
      for (EngineWorld world : List.of(here, there)) {
        String picture = world.picture().toString();
        assertTrue(!picture.contains("intents/") && !picture.contains("handovers/"), picture);
        assertEquals(
            world.room().running().size(),
            world.picture().lines().stream().filter(line -> line.startsWith("INSTANCE ")).count(),
            picture);
      }
      return name;
    }

    private static void quietly(Stapes stapes) {
      try {
        stapes.close();
      } catch (StapesException e) {
        assertEquals(Kind.INTERNAL, e.kind(), e::toString); // the one of the test
      }
    }

    @Override
    public void close() {
      faults.count();
      here.close();
      there.close();
    }
  }

  static InstanceSpec.Builder spec(String name) {
    return InstanceSpec.emptyVirtualMachine(name)
        .config(MovingInstances.STATEFUL.name(), "true")
        .device("root", Device.root(disk -> disk.pool("default").size(Size.ofKibibytes(32))));
  }

  @Test
  void it_moves_with_its_disk_and_its_config() {
    try (Pair pair = new Pair()) {
      pair.vm().update(change -> change.config("user.color", "red").description("mine"));
      Instance moved = pair.move();
      assertEquals(Set.of("moved"), pair.going());
      assertEquals("red", moved.info().config().values().get("user.color"));
      assertEquals("mine", moved.info().description());
      assertEquals("moved", pair.settled(true));
    }
  }

  @Test
  void one_that_is_to_have_a_volume_of_its_root_directory_stays() {
    try (Pair pair = new Pair()) {
      pair.here.stapes().pools().byDefault().volumes().create("data");
      Device volume = Device.disk("/d", disk -> disk.volume("default", "data"));
      Instance other =
          pair.here.stapes().instances().create(spec("other").device("more", volume).build());
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> other.migrateTo(pair.there.stapes(), "moved", Transport.tcp(), Progress.NONE));
      assertEquals(Kind.UNSUPPORTED, e.kind(), e::toString);
      assertTrue(e.toString().contains("its device more is a volume"), e::toString);
      assertEquals(Set.of("vm"), pair.going());
    }
  }

  /** The n-th effect fails, before or after it happened, for every n. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatever_fails_one_of_it_goes_on(boolean after) {
    Set<String> ends = new TreeSet<>();
    List<String> before = unused();
    forEveryEffect(
        (pair, n) -> {
          if (after) {
            pair.faults.failAfterNth(n);
          } else {
            pair.faults.failNth(n);
          }
          boolean failed = fails(pair);
          String at = (after ? "after" : "at") + " effect " + n + " of " + pair.faults.trace();
          pair.faults.count();
          assertTrue(pair.going().size() <= 1, at);
          boolean decided = pair.there.stapes().instances().find("moved").isPresent();
          if (failed && pair.going().contains("vm")) {
            assertTrue(!decided, at);
            pair.there.stapes().close();
            assertEquals(before, withoutPlace(pair.there), at);
          }
          ends.add(settled(pair, n, at));
        });
    assertEquals(Set.of("moved", "vm"), ends);
  }

  /** A root directory to which nothing has moved. */
  private static List<String> unused() {
    try (EngineWorld world = EngineWorld.create(MOVING)) {
      world.stapes().close();
      return withoutPlace(world);
    }
  }

  /** What there is, but for the place where decisions would be. */
  private static List<String> withoutPlace(EngineWorld world) {
    return world.picture().lines().stream().filter(line -> !line.endsWith("handovers")).toList();
  }

  /** From the n-th effect on none happens, as if the JVM had died; for every n. */
  @Test
  void wherever_the_jvm_dies_one_of_it_goes_on() {
    Set<String> ends = new TreeSet<>();
    forEveryEffect(
        (pair, n) -> {
          pair.faults.dieAtNth(n);
          boolean unusedFailed = fails(pair);
          String at = "dead at effect " + n + " of " + pair.faults.trace();
          Pair.quietly(pair.here.stapes());
          Pair.quietly(pair.there.stapes());
          pair.faults.count();
          ends.add(settled(pair, n, at));
        });
    assertEquals(Set.of("moved", "vm"), ends);
  }

  private static void forEveryEffect(BiConsumer<Pair, Integer> test) {
    int effects = MORE_THAN_ENOUGH;
    for (int n = 0; n <= effects; n++) {
      try (Pair pair = new Pair()) {
        if (n == 0) {
          pair.faults.count();
          Instance unusedMoved = pair.move();
          effects = pair.faults.effects();
          assertTrue(effects > 20 && effects < MORE_THAN_ENOUGH, "effects: " + effects);
        } else {
          test.accept(pair, n);
        }
      }
    }
  }

  private static boolean fails(Pair pair) {
    try {
      Instance unusedMoved = pair.move();
      return false;
    } catch (StapesException e) {
      return true;
    }
  }

  private static String settled(Pair pair, int n, String at) {
    try {
      return pair.settled(n % 2 == 0);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError(at, e);
    }
  }

  @Test
  void an_interrupt_is_heard_until_it_is_decided() {
    for (String wanted : List.of("disk", "memory")) {
      try (Pair pair = new Pair()) {
        StapesException e =
            assertThrows(StapesException.class, () -> pair.move(interruptAt(wanted)));
        assertTrue(Thread.interrupted());
        assertEquals(Kind.INTERRUPTED, e.kind(), e::toString);
        assertEquals(Set.of("vm"), pair.going());
        assertEquals("vm", pair.settled(true));
      }
    }
  }

  private static Progress interruptAt(String wanted) {
    return (stage, done, total) -> {
      if (stage.equals(wanted)) {
        Thread.currentThread().interrupt();
      }
    };
  }

  @Test
  void one_that_is_taken_back_in_vain_goes_on_with_the_next_open() {
    try (Pair pair = new Pair()) {
      failToTakeBack(pair, () -> new StapesException(Kind.TIMED_OUT, "vm", "it does not answer"));
      assertEquals(Set.of(), pair.going());
      assertEquals("vm", pair.settled(true));
    }
  }

  @Test
  void one_that_was_taken_back_in_vain_and_is_frozen_later_stays_so() {
    try (Pair pair = new Pair()) {
      failToTakeBack(pair, () -> new StapesException(Kind.TIMED_OUT, "vm", "it does not answer"));
      Instance vm = pair.here.stapes().instances().get("vm");
      vm.unfreeze();
      vm.freeze();
      assertEquals(InstanceStatus.FROZEN, pair.here.reopen().instances().get("vm").info().status());
    }
  }

  @Test
  void one_that_is_taken_back_by_the_second_try_leaves_nothing_to_do() {
    try (Pair pair = new Pair()) {
      failToTakeBack(pair, () -> new StapesException(Kind.INTERRUPTED, "vm", "interrupted"));
      assertEquals(Set.of("vm"), pair.going());
      pair.here.stapes().close();
      String left = pair.here.picture().toString();
      assertTrue(!left.contains("intents/"), left);
    }
  }

  /** It is given up when its memory has gone, and the first try to take it back fails. */
  private static void failToTakeBack(Pair pair, Supplier<StapesException> failure) {
    int n;
    try (Pair counting = new Pair()) {
      counting.faults.count();
      giveUp(counting);
      n = indexOf("Migrations.takeBack", counting.faults.trace());
    }
    pair.faults.failNth(n + 1, failure);
    giveUp(pair);
    pair.faults.count();
  }

  private static void giveUp(Pair pair) {
    StapesException e = assertThrows(StapesException.class, () -> pair.move(interruptAt("memory")));
    assertEquals(Kind.INTERRUPTED, e.kind(), e::toString);
    assertTrue(Thread.interrupted());
  }

  private static int indexOf(String effect, List<String> trace) {
    int n = 0;
    while (!trace.get(n).startsWith(effect)) {
      n++;
    }
    return n;
  }

  @Test
  void one_whose_target_is_not_there_after_a_crash_is_out_of_reach_until_it_is() throws Exception {
    try (Pair pair = new Pair()) {
      dieAfter(pair, "Migrations.send");
      Path handovers = pair.there.root().resolve("handovers");
      Path away = pair.there.root().resolve("away");
      Files.move(handovers, away);
      Stapes here = pair.here.openAgain();
      StapesException e =
          assertThrows(StapesException.class, () -> here.instances().get("vm").start());
      assertEquals(Kind.UNAVAILABLE, e.kind());
      assertTrue(e.toString().contains("make the empty directory " + handovers), e::toString);
      here.close();
      Files.move(away, handovers);
      assertEquals("vm", pair.settled(true));
    }
  }

  private static void dieAfter(Pair pair, String effect) {
    pair.faults.count();
    int n;
    try (Pair counting = new Pair()) {
      counting.faults.count();
      Instance unusedMoved = counting.move();
      n = indexOf(effect, counting.faults.trace());
    }
    pair.faults.dieAtNth(n + 2);
    assertTrue(fails(pair));
    Pair.quietly(pair.here.stapes());
    Pair.quietly(pair.there.stapes());
    pair.faults.count();
  }

  @Test
  void decisions_are_kept_no_longer_than_they_are_needed() throws IOException {
    try (Pair pair = new Pair()) {
      Instance unusedMoved = pair.move();
      try (Stream<Path> all = Files.list(pair.there.root().resolve("handovers"))) {
        assertEquals(List.of(), all.toList());
      }
    }
  }
}
