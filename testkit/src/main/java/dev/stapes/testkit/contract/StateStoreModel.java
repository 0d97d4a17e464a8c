package dev.stapes.testkit.contract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Change;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Lease;
import dev.stapes.spi.StateStore.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** A sorted map that does what a store must do, and a store that must do the same. */
final class StateStoreModel {
  /** Few, so that they meet; some whose order in UTF-16 is not that in UTF-8. */
  private static final List<String> KEYS =
      List.of("a", "a/", "a/1", "a/2", "a0", "b", "é", "\ue000", "\uffff", "😀", "😀/1");

  private static final Comparator<String> BYTES =
      (one, two) -> Arrays.compareUnsigned(one.getBytes(UTF_8), two.getBytes(UTF_8));

  private final TreeMap<String, Entry> entries = new TreeMap<>(BYTES);
  private final Map<String, Lease> leaseOf = new HashMap<>();
  private final List<Lease> leases = new ArrayList<>();
  private final List<Change> changes = new ArrayList<>();
  private final StateStoreFixture.Recorder recorder = new StateStoreFixture.Recorder();
  private final Optional<UnaryOperator<StateStore>> reopening;
  private StateStore store;
  private long revision;

  /** Takes over a new store. */
  StateStoreModel(StateStore store, Optional<UnaryOperator<StateStore>> reopening) {
    this.store = store;
    this.reopening = reopening;
    store.watch("", 0, recorder);
  }

  /** What is done to both. */
  sealed interface Step {}

  /** A transaction; with the lease of that number, modulo how many there are, or -1: none. */
  record Commit(Map<String, Optional<String>> writes, Map<String, Condition> conditions, int lease)
      implements Step {}

  record Range(String from, String to, int limit) implements Step {}

  record Grant() implements Step {}

  record GiveBack(int lease) implements Step {}

  record Sync() implements Step {}

  /** Closes and opens the store, where it keeps its entries. */
  record Reopen() implements Step {}

  /** What a transaction expects of a key. */
  enum Condition {
    ABSENT,
    AS_IT_IS,
    CHANGED
  }

  static Arbitrary<List<Step>> steps() {
    Arbitrary<String> keys = Arbitraries.of(KEYS);
    Arbitrary<String> bounds =
        Arbitraries.of("", "a", "a/", "a/1", "b", "é", "\uffff", "😀", "\udbff\udfff");
    Arbitrary<Optional<String>> values = Arbitraries.of("", "1", "{\"x\":2}", "é😀").optional(0.7);
    Arbitrary<Step> commits =
        Combinators.combine(
                Arbitraries.maps(keys, values).ofMaxSize(4),
                Arbitraries.maps(keys, Arbitraries.of(Condition.class)).ofMaxSize(1),
                Arbitraries.integers().between(-3, 3))
            .as(Commit::new);
    Arbitrary<Step> ranges =
        Combinators.combine(bounds, bounds, Arbitraries.integers().between(1, 12)).as(Range::new);
    Arbitrary<Step> givingBack = Arbitraries.integers().between(0, 3).map(GiveBack::new);
    return Arbitraries.frequencyOf(
            Tuple.of(20, commits),
            Tuple.of(6, ranges),
            Tuple.of(2, Arbitraries.create(Grant::new)),
            Tuple.of(2, givingBack),
            Tuple.of(1, Arbitraries.create(Sync::new)),
            Tuple.of(1, Arbitraries.create(Reopen::new)))
        .list()
        .ofMaxSize(60);
  }

  void run(Step step) {
    if (step instanceof Commit commit) {
      commit(commit);
    } else if (step instanceof Range range) {
      assertEquals(expected(range), store.range(range.from(), range.to(), range.limit()));
    } else if (step instanceof Grant) {
      leases.add(store.grant(Duration.ofHours(1)));
    } else if (step instanceof GiveBack back) {
      giveBack(back.lease());
    } else if (step instanceof Sync) {
      store.sync();
    } else if (step instanceof Reopen) {
      reopen();
    }
    check();
  }

  private void commit(Commit commit) {
    Transaction.Builder builder = Transaction.begin();
    boolean conflict = false;
    for (Map.Entry<String, Condition> condition : commit.conditions().entrySet()) {
      conflict |= !condition(builder, condition.getKey(), condition.getValue());
    }
    commit
        .writes()
        .forEach(
            (key, value) ->
                value.ifPresentOrElse(text -> builder.put(key, text), () -> builder.remove(key)));
    Optional<Lease> lease =
        commit.lease() < 0 || leases.isEmpty()
            ? Optional.empty()
            : Optional.of(leases.get(commit.lease() % leases.size()));
    lease.ifPresent(given -> builder.lease(given.id()));
    Transaction transaction = builder.build();
    if (conflict) {
      StapesException error = assertThrows(StapesException.class, () -> store.commit(transaction));
      assertEquals(Kind.CONFLICT, error.kind());
      return;
    }
    write(commit.writes(), lease);
    assertEquals(revision, store.commit(transaction));
  }

  /** Adds a condition; false: it does not hold. */
  private boolean condition(Transaction.Builder builder, String key, Condition condition) {
    Entry entry = entries.get(key);
    if (condition == Condition.ABSENT || (entry == null && condition == Condition.AS_IT_IS)) {
      builder.ifAbsent(key);
      return entry == null;
    }
    if (entry == null) {
      builder.ifUnchanged(key, 1);
      return false;
    }
    builder.ifUnchanged(key, entry.modified() + (condition == Condition.CHANGED ? 1 : 0));
    return condition == Condition.AS_IT_IS;
  }

  private void write(Map<String, Optional<String>> writes, Optional<Lease> lease) {
    TreeMap<String, Optional<String>> effective = new TreeMap<>(BYTES);
    writes.forEach(
        (key, value) -> {
          if (value.isPresent() || entries.containsKey(key)) {
            effective.put(key, value);
          }
        });
    if (effective.isEmpty()) {
      return;
    }
    revision++;
    effective.forEach(
        (key, value) -> {
          changes.add(new Change(key, value, revision));
          leaseOf.remove(key);
          Entry old = entries.remove(key);
          if (value.isPresent()) {
            long created = old == null ? revision : old.created();
            entries.put(key, new Entry(key, value.get(), created, revision));
            lease.ifPresent(given -> leaseOf.put(key, given));
          }
        });
  }

  private void giveBack(int number) {
    if (leases.isEmpty()) {
      return;
    }
    Lease lease = leases.remove(number % leases.size());
    Map<String, Optional<String>> removes = new HashMap<>();
    leaseOf.forEach(
        (key, holder) -> {
          if (holder == lease) {
            removes.put(key, Optional.empty());
          }
        });
    write(removes, Optional.empty());
    lease.close();
  }

  /** Without leases, of which a store may keep the keys for a while or not. */
  private void reopen() {
    if (reopening.isEmpty()) {
      return;
    }
    while (!leases.isEmpty()) {
      giveBack(0);
    }
    checkWatch();
    store = reopening.get().apply(store);
    store.watch("", revision, recorder);
  }

  private List<Entry> expected(Range range) {
    return entries.values().stream()
        .filter(entry -> BYTES.compare(entry.key(), range.from()) >= 0)
        .filter(entry -> BYTES.compare(entry.key(), range.to()) < 0)
        .limit(range.limit())
        .toList();
  }

  private void check() {
    assertEquals(revision, store.revision());
    assertEquals(List.copyOf(entries.values()), store.prefix(""));
    for (String key : KEYS) {
      assertEquals(Optional.ofNullable(entries.get(key)), store.get(key));
    }
  }

  /** Each change was told, in order. */
  void checkWatch() {
    try {
      assertEquals(changes, recorder.take(changes.size()));
      changes.clear();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  void close() {
    store.close();
  }
}
