package dev.stapes.internal.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.engine.Handovers.Owner;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HandoversTest {
  private static final String INTENT = "000000000000001-aaaaaa";

  private final Map<String, String> undecided = new TreeMap<>();

  /** A root directory and its store, which outlive a crash. */
  private static final class Side implements AutoCloseable {
    private final MemoryStateStore durable = new MemoryStateStore();
    private final MemoryStateStore fleeting = new MemoryStateStore();
    private final Catalog catalog = new Catalog(durable, fleeting);
    private final Handovers handovers;

    Side(Path root) {
      handovers = new Handovers(root, catalog);
    }

    @Override
    public void close() {
      durable.close();
      fleeting.close();
    }
  }

  private Path temp;
  private Side source;
  private Side target;
  private Path decision;
  private final InstanceRecord leaving = record("leavingaaaaa", "here");
  private final InstanceRecord arriving = record("arrivingaaaa", "there");

  private static InstanceRecord record(String id, String name) {
    return new InstanceRecord(
        id,
        name,
        InstanceType.VIRTUAL_MACHINE,
        "",
        Lifetime.DURABLE,
        null,
        null,
        "default",
        id + "-volume",
        new TreeMap<>(),
        new TreeMap<>(),
        Instant.EPOCH.toString(),
        null);
  }

  @BeforeEach
  void begin(@TempDir Path directory) throws IOException {
    temp = directory;
    source = new Side(Files.createDirectory(temp.resolve("source")));
    target = new Side(Files.createDirectory(temp.resolve("target")));
    decision = target.handovers.begin(Instant.EPOCH);
    source.catalog.change(false).insert(leaving).commit();
    source.catalog.change(false).put(INTENT, Intent.departureOf(leaving, decision)).commit();
    target.catalog.change(false).put(INTENT, Intent.arrivalOf(arriving, decision)).commit();
  }

  @AfterEach
  void end() {
    source.close();
    target.close();
  }

  private void settle(Side side) {
    side.handovers.settle((record, why) -> undecided.put(record.name(), why));
  }

  private static Intent intentOf(Side side) {
    return Objects.requireNonNull(side.catalog.intents().get(INTENT));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(temp.resolve("target/handovers"))) {
      return all.toList();
    }
  }

  private void assertHere() {
    assertTrue(source.catalog.idOf("here").isPresent());
    assertEquals("leavingaaaaa", intentOf(source).frozen());
    assertTrue(target.catalog.idOf("there").isEmpty());
    assertEquals(1, intentOf(target).volumes().size());
    assertNull(intentOf(target).frozen());
  }

  private void assertThere() {
    assertTrue(source.catalog.instance(leaving.instanceId()).isEmpty());
    assertEquals(1, intentOf(source).volumes().size());
    assertNull(intentOf(source).frozen());
    assertEquals(arriving, target.catalog.instance(arriving.instanceId()).orElseThrow().value());
    assertEquals("arrivingaaaa", intentOf(target).frozen());
    assertEquals(List.of(), intentOf(target).volumes());
  }

  @Test
  void what_nobody_decided_is_the_sources_whoever_opens_first() {
    settle(source);
    settle(target);
    assertHere();
    settle(source);
    assertHere();
  }

  @Test
  void the_target_gives_up_what_nobody_decided() {
    settle(target);
    assertEquals(Owner.SOURCE, Handovers.decide(decision, Owner.TARGET));
    settle(source);
    assertHere();
  }

  @Test
  void what_was_decided_for_the_target_is_the_targets_whoever_opens_first() {
    assertEquals(Owner.TARGET, Handovers.decide(decision, Owner.TARGET));
    settle(source);
    settle(target);
    assertThere();
  }

  @Test
  void the_source_learns_later_what_the_target_knew_at_once() {
    assertEquals(Owner.TARGET, Handovers.decide(decision, Owner.TARGET));
    settle(target);
    settle(target);
    settle(source);
    assertThere();
  }

  @Test
  void a_decision_is_kept_until_both_know_it() throws IOException {
    assertEquals(Owner.TARGET, Handovers.decide(decision, Owner.TARGET));
    settle(target);
    assertEquals(List.of(decision), files());
    settle(source);
    settle(target);
    assertEquals(List.of(), files());
  }

  @Test
  void a_decision_for_the_source_goes_with_the_intent_of_the_target() throws IOException {
    settle(target);
    assertEquals(List.of(decision), files());
    target.catalog.change(false).removeIntent(INTENT).commit();
    settle(target);
    assertEquals(List.of(), files());
    settle(source);
    assertHereAtSource();
    settle(target);
    assertEquals(List.of(), files());
  }

  private void assertHereAtSource() {
    assertTrue(source.catalog.idOf("here").isPresent());
    assertEquals("leavingaaaaa", intentOf(source).frozen());
  }

  @Test
  void where_the_directory_of_the_target_is_missing_nobody_knows() throws IOException {
    Files.delete(temp.resolve("target/handovers"));
    settle(source);
    assertHereAtSource();
    assertEquals(Set.of("here"), undecided.keySet());
    assertTrue(undecided.toString().contains("make the empty directory"), undecided::toString);
    assertFalse(Files.exists(decision));

    undecided.clear();
    Files.createDirectory(temp.resolve("target/handovers"));
    settle(source);
    settle(target);
    assertHere();
    assertEquals(Map.of(), undecided);
  }

  @Test
  void a_target_whose_directory_was_moved_finds_its_decision() throws IOException {
    assertEquals(Owner.TARGET, Handovers.decide(decision, Owner.TARGET));
    Files.move(temp.resolve("target"), temp.resolve("moved"));
    new Handovers(temp.resolve("moved"), target.catalog)
        .settle((record, why) -> undecided.put(record.name(), why));
    assertTrue(target.catalog.idOf("there").isPresent());
    settle(source);
    assertEquals(Set.of("here"), undecided.keySet());
    assertHereAtSource();
  }

  @Test
  void who_arrives_under_a_name_that_another_one_has_gets_one_of_its_own() {
    assertEquals(Owner.TARGET, Handovers.decide(decision, Owner.TARGET));
    target.catalog.change(false).insert(record("anotheraaaaa", "there")).commit();
    settle(target);
    assertEquals("anotheraaaaa", target.catalog.idOf("there").orElseThrow().value());
    assertEquals("arrivingaaaa", target.catalog.idOf("moved-arrivingaaaa").orElseThrow().value());
    assertEquals("arrivingaaaa", intentOf(target).frozen());
  }

  @Test
  void a_damaged_decision_is_none() throws IOException {
    Files.writeString(decision, "nobody");
    assertThrows(StapesException.class, () -> Handovers.decide(decision, Owner.TARGET));
    settle(source);
    assertEquals(Set.of("here"), undecided.keySet());
    assertThrows(StapesException.class, () -> settle(target));
    assertHere();
  }

  @Test
  void what_a_crash_left_beside_decisions_is_removed() throws IOException {
    Files.writeString(decision.resolveSibling("000000000000002-bbbbbb.draft"), "source");
    Files.writeString(decision.resolveSibling("000000000000003-cccccc.settled"), "");
    Files.writeString(decision.resolveSibling("000000000000004-dddddd"), "damaged");
    settle(target);
    assertEquals(
        Set.of(decision, decision.resolveSibling("000000000000004-dddddd")), Set.copyOf(files()));
  }

  @Test
  void an_interrupted_thread_decides_nothing_or_all() throws IOException {
    Thread.currentThread().interrupt();
    StapesException e =
        assertThrows(StapesException.class, () -> Handovers.decide(decision, Owner.TARGET));
    assertTrue(Thread.interrupted());
    assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
    assertEquals(Owner.SOURCE, Handovers.decide(decision, Owner.SOURCE));
  }
}
