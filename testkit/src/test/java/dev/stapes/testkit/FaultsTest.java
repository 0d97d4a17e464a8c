package dev.stapes.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class FaultsTest {
  private final Faults faults = new Faults();
  private final Box target = new Box();
  private final Thing thing = faults.wrap(Thing.class, target);

  @Test
  void questions_and_close_are_no_effects() {
    assertEquals(0, thing.size());
    assertFalse(thing.exists("a"));
    thing.close();
    assertEquals(0, faults.effects());
  }

  @Test
  void effects_are_counted_and_recorded_in_order() {
    thing.add("a");
    thing.clear();
    assertEquals(List.of("Thing.add [a]", "Thing.clear"), faults.trace());
  }

  @Test
  void what_comes_back_is_wrapped_too_also_inside_containers() throws Exception {
    thing.child().add("a");
    thing.maybe().orElseThrow().add("b");
    thing.later().toCompletableFuture().get().add("c");
    thing.all().get(0).add("d");
    assertEquals(4, faults.effects());
    assertEquals(List.of("a", "b", "c", "d"), target.words);
  }

  @Test
  void the_nth_effect_fails_before_it_happens_and_the_others_do_not() {
    faults.failNth(2);
    thing.add("a");
    StapesException failure = assertThrows(StapesException.class, () -> thing.add("b"));
    thing.add("c");
    assertEquals("effect 2: failed: the test wants it so", failure.getMessage());
    assertEquals(List.of("a", "c"), target.words);
  }

  @Test
  void the_nth_effect_fails_after_it_happened() {
    IllegalStateException mine = new IllegalStateException("mine");
    faults.failAfterNth(1, () -> mine);
    assertSame(mine, assertThrows(IllegalStateException.class, () -> thing.add("a")));
    assertEquals(List.of("a"), target.words);
  }

  @Test
  void after_a_death_nothing_happens_any_more() {
    faults.dieAtNth(2);
    thing.add("a");
    assertThrows(StapesException.class, () -> thing.add("b"));
    assertThrows(StapesException.class, thing::clear);
    assertEquals(List.of("a"), target.words);
  }

  @Test
  void the_target_s_own_exceptions_come_through_as_they_are() {
    assertThrows(IllegalArgumentException.class, () -> thing.add(""));
  }

  @Test
  void the_first_write_to_a_stream_is_an_effect() throws IOException {
    faults.failNth(2, () -> new IOException("no space"));
    OutputStream stream = thing.open("file");
    assertThrows(IOException.class, () -> stream.write(1));
    faults.count();
    try (OutputStream other = thing.open("file")) {
      other.write("abc".getBytes(StandardCharsets.UTF_8));
      other.write("def".getBytes(StandardCharsets.UTF_8));
    }
    assertEquals(2, faults.effects());
    assertEquals("abcdef", target.written.toString(StandardCharsets.UTF_8));
  }

  @Test
  void a_blocked_effect_waits_until_it_is_released() throws Exception {
    Faults.Block block = faults.blockAtNth(1);
    CompletableFuture<Void> added = CompletableFuture.runAsync(() -> thing.add("a"));
    block.awaitReached(Duration.ofSeconds(10));
    assertEquals(List.of(), target.words);
    block.release();
    added.get();
    assertEquals(List.of("a"), target.words);
  }

  @Test
  void interrupting_a_blocked_effect_ends_it() throws Exception {
    Faults.Block block = faults.blockAtNth(1);
    CompletableFuture<StapesException> seen = new CompletableFuture<>();
    Thread thread =
        new Thread(() -> seen.complete(assertThrows(StapesException.class, () -> thing.add("a"))));
    thread.start();
    block.awaitReached(Duration.ofSeconds(10));
    thread.interrupt();
    thread.join();
    assertEquals(StapesException.Kind.INTERRUPTED, seen.get().kind());
    assertEquals(List.of(), target.words);
  }

  @Test
  void an_action_that_undoes_what_it_did_passes_every_fault() throws Exception {
    assertEquals(2, new TwoWords(true).forEveryEffect());
  }

  @Test
  void an_action_that_leaves_something_is_found_with_the_effect_and_both_states() {
    AssertionError found =
        assertThrows(AssertionError.class, () -> new TwoWords(false).forEveryEffect());
    String message = String.valueOf(found.getMessage());
    assertTrue(message.contains("Thing.add [a]"), message);
    assertTrue(message.contains("should be\n[]\nbut is\n[a]"), message);
  }

  /** Adds two words; careful: takes back what it added where it failed. */
  private record TwoWords(boolean careful) implements EffectScenario<TwoWords.World> {
    record World(Thing thing, Box box) {}

    @Override
    public World prepare(Faults faults) {
      Box box = new Box();
      return new World(faults.wrap(Thing.class, box), box);
    }

    @Override
    public void act(World world) {
      try {
        world.thing.add("a");
        world.thing.add("b");
      } catch (StapesException e) {
        if (careful) {
          world.thing.clear();
        }
        throw e;
      }
    }

    @Override
    public Object state(World world) {
      return List.copyOf(world.box.words);
    }

    @Override
    public void dispose(World world) {
      world.thing.close();
    }
  }

  /** An interface as an SPI has them. */
  public interface Thing extends AutoCloseable {
    void add(String word);

    void clear();

    int size();

    boolean exists(String word);

    Thing child();

    Optional<Thing> maybe();

    CompletionStage<Thing> later();

    List<Thing> all();

    OutputStream open(String name);

    @Override
    void close();
  }

  private static final class Box implements Thing {
    private final List<String> words = new ArrayList<>();
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Override
    public void add(String word) {
      if (word.isEmpty()) {
        throw new IllegalArgumentException("empty");
      }
      words.add(word);
    }

    @Override
    public void clear() {
      words.clear();
    }

    @Override
    public int size() {
      return words.size();
    }

    @Override
    public boolean exists(String word) {
      return words.contains(word);
    }

    @Override
    public Thing child() {
      return this;
    }

    @Override
    public Optional<Thing> maybe() {
      return Optional.of(this);
    }

    @Override
    public CompletionStage<Thing> later() {
      return CompletableFuture.completedFuture(this);
    }

    @Override
    public List<Thing> all() {
      return List.of(this);
    }

    @Override
    public OutputStream open(String name) {
      return written;
    }

    @Override
    public void close() {}
  }
}
