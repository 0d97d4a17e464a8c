package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Change;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;

/** A fresh store for each test, and what all tests say about it. */
abstract class StateStoreFixture {
  /** Threads that the JVM and the test engine start when they like. */
  private static final Set<String> FOREIGN_THREADS =
      Set.of("ForkJoinPool", "Common-Cleaner", "process reaper", "junit-", "surefire", "Attach ");

  /** More than any event takes on a loaded machine; only a failing test waits for it. */
  private static final int PATIENCE_SECONDS = 30;

  private final Set<Thread> threadsBefore = new HashSet<>();
  private @Nullable StateStore opened;

  /** Makes a new, empty store. */
  protected abstract StateStore newStore();

  /** Deletes what the stores have left; called when all are closed. */
  protected abstract void deleteStores();

  @BeforeEach
  final void openStore() {
    threadsBefore.addAll(Thread.getAllStackTraces().keySet());
    opened = newStore();
  }

  @AfterEach
  final void nothingIsLeft() throws InterruptedException {
    Thread.interrupted();
    if (opened != null) {
      opened.close();
    }
    deleteStores();
    Set<Thread> left = new HashSet<>(Thread.getAllStackTraces().keySet());
    left.removeAll(threadsBefore);
    left.removeIf(
        thread -> FOREIGN_THREADS.stream().anyMatch(name -> thread.getName().contains(name)));
    for (Thread thread : left) {
      thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS)); // it may be on its last steps
    }
    left.removeIf(thread -> !thread.isAlive());
    assertEquals(Set.of(), left, "threads that closing the store did not end");
  }

  /** The store of this test. */
  final StateStore store() {
    if (opened == null) {
      throw new IllegalStateException("no store was opened for this test");
    }
    return opened;
  }

  /** The store of this test is another one from now on. */
  final void replaceStore(StateStore other) {
    opened = other;
  }

  final long put(String key, String value) {
    return store().commit(Transaction.begin().put(key, value).build());
  }

  final long remove(String key) {
    return store().commit(Transaction.begin().remove(key).build());
  }

  final Optional<String> value(String key) {
    return store().get(key).map(Entry::value);
  }

  final List<String> keys(List<Entry> entries) {
    return entries.stream().map(Entry::key).toList();
  }

  static Change changed(String key, String value, long revision) {
    return new Change(key, Optional.of(value), revision);
  }

  static Change removed(String key, long revision) {
    return new Change(key, Optional.empty(), revision);
  }

  /** The error that something fails with, of the kind that it must have. */
  static StapesException fails(Kind kind, Executable action) {
    StapesException error = assertThrows(StapesException.class, action);
    assertEquals(kind, error.kind(), error::toString);
    return error;
  }

  /** Also nothing may have changed. */
  final StapesException changesNothing(Kind kind, Executable action) {
    long revision = store().revision();
    List<Entry> entries = store().prefix("");
    StapesException error = fails(kind, action);
    assertEquals(revision, store().revision());
    assertEquals(entries, store().prefix(""));
    return error;
  }

  /** Keeps what a watch tells. */
  static final class Recorder implements StateStore.Listener {
    private final BlockingQueue<Change> told = new LinkedBlockingQueue<>();
    private final AtomicInteger lost = new AtomicInteger();

    @Override
    public void changed(Change change) {
      told.add(change);
    }

    @Override
    public void lost(StapesException reason) {
      lost.incrementAndGet();
    }

    /** Waits for the next changes. */
    List<Change> take(int count) throws InterruptedException {
      List<Change> changes = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Change change = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertTrue(change != null, () -> "was told only " + changes + ", lost " + lost);
        changes.add(change);
      }
      return changes;
    }

    boolean isEmpty() {
      return told.isEmpty();
    }
  }
}
