package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Lease;
import dev.stapes.spi.StateStore.Transaction;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What a {@link StateStore} must do that keeps what was committed when it is closed. */
public abstract class DurableStateStoreContract extends StateStoreContract {
  /** For subclasses, each of which tests one store. */
  protected DurableStateStoreContract() {}

  /** Opens again a store that was made by {@link #newStore} and is closed. */
  protected abstract StateStore reopen(StateStore closed);

  @Override
  final Optional<UnaryOperator<StateStore>> reopening() {
    return Optional.of(
        store -> {
          store.close();
          return reopen(store);
        });
  }

  private void reopenStore() {
    store().close();
    replaceStore(reopen(store()));
  }

  @Test
  void what_was_committed_is_there_after_reopening() {
    put("a", "1");
    put("b", "é中😀\0");
    put("a", "2");
    put("c", "4");
    remove("c");
    List<Entry> before = store().prefix("");
    reopenStore();
    assertEquals(before, store().prefix(""));
    assertEquals(Optional.of(new Entry("a", "2", 1, 3)), store().get("a"));
    assertEquals(5, store().revision());
    assertEquals(6, put("a", "3"));
  }

  @Test
  void it_can_be_reopened_often_and_unused() {
    for (int i = 1; i <= 5; i++) {
      reopenStore();
      reopenStore();
      assertEquals(i, put("a", "" + i));
    }
  }

  @Test
  void conditions_hold_across_reopening() {
    put("a", "1");
    reopenStore();
    changesNothing(Kind.CONFLICT, () -> store().commit(Transaction.begin().ifAbsent("a").build()));
    assertEquals(2, store().commit(Transaction.begin().ifUnchanged("a", 1).put("a", "2").build()));
  }

  @Test
  void a_watch_goes_on_after_reopening_or_says_that_it_cannot() throws InterruptedException {
    Recorder recorder = new Recorder();
    put("a", "1");
    put("a", "2");
    reopenStore();
    store().watch("", 2, recorder);
    put("a", "3");
    assertEquals(List.of(changed("a", "3", 3)), recorder.take(1));
    Recorder earlier = new Recorder();
    try {
      store().watch("", 1, earlier);
      assertEquals(List.of(changed("a", "2", 2), changed("a", "3", 3)), earlier.take(2));
    } catch (StapesException e) {
      assertEquals(Kind.UNAVAILABLE, e.kind());
    }
  }

  @Test
  void a_lease_does_not_outlive_its_time_though_nobody_kept_it_alive_across_reopening()
      throws InterruptedException {
    Lease lease = store().grant(Duration.ofSeconds(5));
    store().commit(Transaction.begin().put("a", "1").lease(lease.id()).build());
    put("b", "2");
    reopenStore();
    Recorder recorder = new Recorder();
    long revision = store().revision();
    store().watch("a", revision, recorder);
    if (store().get("a").isPresent()) {
      assertEquals(List.of(removed("a", revision + 1)), recorder.take(1));
    }
    assertEquals(Optional.empty(), value("a"));
    assertEquals(3, store().revision());
    assertEquals(Optional.of("2"), value("b"));
  }

  @Test
  void a_key_that_was_taken_off_its_lease_stays_across_reopening() {
    Lease lease = store().grant(Duration.ofHours(1));
    store().commit(Transaction.begin().put("a", "1").lease(lease.id()).build());
    put("a", "2");
    reopenStore();
    assertEquals(Optional.of("2"), value("a"));
    assertEquals(2, store().revision());
  }
}
