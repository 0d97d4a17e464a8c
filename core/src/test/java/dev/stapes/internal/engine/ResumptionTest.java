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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResumptionTest {
  private final MemoryStateStore durable = new MemoryStateStore();
  private final MemoryStateStore fleeting = new MemoryStateStore();
  private final Catalog catalog = new Catalog(durable, fleeting);
  private final List<String> done = new ArrayList<>();
  private final List<StapesException> failures = new ArrayList<>();

  @AfterEach
  void close() {
    durable.close();
    fleeting.close();
  }

  private InstanceRecord saved(Lifetime lifetime) {
    InstanceRecord record =
        new InstanceRecord(
            "abcd1234",
            "vm",
            InstanceType.VIRTUAL_MACHINE,
            "",
            lifetime,
            null,
            null,
            "default",
            "abcd1234-x",
            new TreeMap<>(Map.of("volatile.state", "s1", "user.power", "off")),
            new TreeMap<>(),
            "2026-01-01T00:00:00Z",
            null);
    catalog.change(record.isThrowaway()).insert(record).commit();
    return record;
  }

  private Optional<String> state() {
    return SavedStates.idIn(
        catalog
            .instance(new dev.stapes.model.InstanceId("abcd1234"))
            .orElseThrow()
            .value()
            .config());
  }

  private Machine machine() {
    return (Machine)
        Proxy.newProxyInstance(
            Machine.class.getClassLoader(),
            new Class<?>[] {Machine.class},
            (proxy, method, arguments) -> {
              done.add(
                  method.getName()
                      + " "
                      + state().orElse("without")
                      + " "
                      + catalog.intents().values().stream().map(Intent::loaded).toList());
              if (!failures.isEmpty()) {
                throw failures.remove(0);
              }
              return null;
            });
  }

  private void goOn(InstanceRecord saved) {
    InstanceRecord now = SavedStates.with(saved, Optional.empty());
    new Resumption(catalog)
        .goOn(saved, now, machine(), () -> done.add("tidy " + catalog.intents().size()));
  }

  private static StapesException failure(Kind kind) {
    return new StapesException(kind, "instance vm", "cont: fails");
  }

  @Test
  void the_record_forgets_the_memory_before_the_processors_run_and_an_intent_knows_it() {
    goOn(saved(Lifetime.DURABLE));
    assertEquals(List.of("unfreeze without [s1]", "tidy 1"), done);
    assertEquals(Optional.empty(), state());
    assertEquals(0, catalog.intents().size());
  }

  @Test
  void a_throwaway_leaves_no_intent() {
    goOn(saved(Lifetime.THROWAWAY));
    assertEquals(List.of("unfreeze without []", "tidy 0"), done);
  }

  @Test
  void where_the_machine_refuses_to_go_on_its_memory_is_not_lost() {
    InstanceRecord saved = saved(Lifetime.DURABLE);
    StapesException refused = failure(Kind.INTERNAL);
    failures.add(refused);
    assertSame(refused, assertThrows(StapesException.class, () -> goOn(saved)));
    assertEquals(List.of("unfreeze without [s1]"), done); // nothing is tidied
    assertEquals(Optional.of("s1"), state());
    assertEquals(0, catalog.intents().size());
  }

  @Test
  void memory_of_a_machine_that_may_have_run_is_never_loaded_again() {
    for (Kind kind : List.of(Kind.TIMED_OUT, Kind.UNAVAILABLE)) {
      catalog.change(false).removeIntent("still-abcd1234").commit();
      InstanceRecord saved =
          catalog
              .instance(new dev.stapes.model.InstanceId("abcd1234"))
              .map(Catalog.Stored::value)
              .orElseGet(() -> saved(Lifetime.DURABLE));
      failures.add(failure(kind));
      assertEquals(kind, assertThrows(StapesException.class, () -> goOn(saved)).kind());
      assertEquals(Optional.empty(), state());
      assertEquals(1, catalog.intents().size()); // the next open lets it go on, where it runs
    }
  }

  @Test
  void an_interrupt_does_not_keep_it_from_going_on() {
    failures.add(failure(Kind.INTERRUPTED));
    Thread.currentThread().interrupt();
    goOn(saved(Lifetime.DURABLE));
    assertTrue(Thread.interrupted());
    assertEquals(List.of("unfreeze without [s1]", "unfreeze without [s1]", "tidy 1"), done);
    assertEquals(Optional.empty(), state());
  }

  @Test
  void an_intent_of_an_older_version_names_no_memory() {
    Json<Intent> json = Json.of(Intent.class);
    String text = json.write(Intent.resumptionOf(saved(Lifetime.DURABLE)));
    assertEquals("s1", json.read("x", text).loaded());
    Intent old = json.read("x", text.replaceAll(",\"loaded\":\"s1\"", ""));
    assertEquals(Optional.empty(), Optional.ofNullable(old.loaded()));
    assertEquals("abcd1234", old.frozen());
  }
}
