package dev.stapes.internal.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OneMomentTest {
  private final MemoryStateStore durable = new MemoryStateStore();
  private final MemoryStateStore fleeting = new MemoryStateStore();
  private final Catalog catalog = new Catalog(durable, fleeting);
  private final Background background = new Background("thaws", 1);
  private final LateThaws thaws =
      new LateThaws(
          catalog, background, id -> Optional.empty(), Duration.ofHours(1), Duration.ofHours(1));

  private final List<String> done = new ArrayList<>();
  private @Nullable StapesException refusal;
  private @Nullable StapesException stuck;

  @AfterEach
  void close() {
    background.close();
    durable.close();
    fleeting.close();
  }

  private static InstanceRecord record() {
    return new InstanceRecord(
        "abcd1234",
        "vm",
        InstanceType.VIRTUAL_MACHINE,
        "",
        Lifetime.DURABLE,
        null,
        null,
        "default",
        "abcd1234-x",
        new TreeMap<>(),
        new TreeMap<>(),
        "2026-01-01T00:00:00Z",
        null);
  }

  private final class Guest implements Machine.FileSystems {
    @Override
    public void freeze() {
      done.add("to rest");
      if (refusal != null) {
        throw refusal;
      }
    }

    @Override
    public void thaw() {
      done.add("thaw " + catalog.intents().size());
      if (stuck != null) {
        throw stuck;
      }
    }
  }

  private Machine machine(boolean agent) {
    return (Machine)
        Proxy.newProxyInstance(
            Machine.class.getClassLoader(),
            new Class<?>[] {Machine.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("fileSystems")) {
                return agent ? Optional.of(new Guest()) : Optional.empty();
              }
              done.add(method.getName());
              return null;
            });
  }

  private void copy() {
    done.add("copy " + catalog.intents().size());
  }

  @Test
  void file_systems_are_at_rest_and_a_machine_stands_still_while_it_is_copied() {
    new OneMoment(catalog, thaws).during(record(), machine(true), true, this::copy);
    assertEquals(List.of("to rest", "freeze", "copy 1", "unfreeze", "thaw 1"), done);
    assertEquals(0, catalog.intents().size());
  }

  @Test
  void a_copy_that_takes_no_time_lets_programs_run() {
    new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy);
    assertEquals(List.of("to rest", "copy 1", "thaw 1"), done);
  }

  @Test
  void without_an_agent_nothing_is_waited_for() {
    new OneMoment(catalog, thaws).during(record(), machine(false), false, this::copy);
    assertEquals(List.of("copy 0"), done);
  }

  @Test
  void a_guest_that_refuses_is_copied_as_it_is() {
    refusal = new StapesException(Kind.UNAVAILABLE, "instance vm", "its agent refuses");
    new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy);
    assertEquals(List.of("to rest", "copy 1"), done);
    assertEquals(0, catalog.intents().size());
  }

  @Test
  void what_stays_at_rest_has_an_intent_and_the_copy_is_good() {
    stuck = new StapesException(Kind.TIMED_OUT, "instance vm", "its agent does not answer");
    new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy);
    assertEquals(List.of("to rest", "copy 1", "thaw 1"), done);
    assertEquals(1, catalog.intents().size());
  }

  @Test
  void a_guest_that_may_be_at_rest_is_copied_and_thawed() {
    refusal = new StapesException(Kind.TIMED_OUT, "instance vm", "its agent does not answer");
    new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy);
    assertEquals(List.of("to rest", "copy 1", "thaw 1"), done);
    assertEquals(0, catalog.intents().size());
  }

  @Test
  void a_guest_that_may_come_to_rest_later_is_thawed_later() {
    refusal = new StapesException(Kind.TIMED_OUT, "instance vm", "its agent does not answer");
    stuck = refusal;
    new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy);
    assertEquals(List.of("to rest", "copy 1", "thaw 1"), done);
    assertEquals(1, catalog.intents().size());
    assertTrue(thaws.isLate(record().instanceId()));
  }

  @Test
  void one_that_is_still_at_rest_stays_known_though_it_refuses() {
    what_stays_at_rest_has_an_intent_and_the_copy_is_good();
    refusal = new StapesException(Kind.UNAVAILABLE, "instance vm", "its agent refuses");
    new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy);
    assertEquals(List.of("to rest", "copy 1"), done.subList(3, 5));
    assertEquals(1, catalog.intents().size());
  }

  @Test
  void one_that_is_still_at_rest_stays_known_though_its_agent_is_away() {
    what_stays_at_rest_has_an_intent_and_the_copy_is_good();
    new OneMoment(catalog, thaws).during(record(), machine(false), true, this::copy);
    assertEquals(List.of("freeze", "copy 2", "unfreeze"), done.subList(3, 6));
    assertEquals(Set.of(IntentNames.atRest(record().instanceId())), catalog.intents().keySet());
    assertTrue(thaws.isLate(record().instanceId()));
  }

  @Test
  void an_intent_says_whether_file_systems_may_be_at_rest() {
    List<String> intents = new ArrayList<>();
    for (boolean agent : List.of(true, false)) {
      new OneMoment(catalog, thaws)
          .during(record(), machine(agent), true, () -> intents.addAll(catalog.intents().keySet()));
    }
    assertEquals(List.of("rest-abcd1234", "copy-abcd1234"), intents);
  }

  @Test
  void who_is_interrupted_copies_nothing() {
    refusal = new StapesException(Kind.INTERRUPTED, "instance vm", "interrupted");
    assertSame(
        refusal,
        assertThrows(
            StapesException.class,
            () ->
                new OneMoment(catalog, thaws).during(record(), machine(true), false, this::copy)));
    assertEquals(List.of("to rest", "thaw 1"), done);
    assertEquals(0, catalog.intents().size());
  }

  @Test
  void a_copy_that_fails_leaves_nothing_frozen() {
    StapesException full = new StapesException(Kind.EXHAUSTED, "pool", "no space");
    assertSame(
        full,
        assertThrows(
            StapesException.class,
            () ->
                new OneMoment(catalog, thaws)
                    .during(
                        record(),
                        machine(true),
                        true,
                        () -> {
                          throw full;
                        })));
    assertEquals(List.of("to rest", "freeze", "unfreeze", "thaw 1"), done);
    assertEquals(0, catalog.intents().size());
  }
}
