package dev.stapes.internal.image;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.spi.StateStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A store in memory; a test has a say before each commit and each sync. */
final class HookedStateStore implements StateStore {
  private final StateStore store = new MemoryStateStore();

  /** Called before each commit; what it throws, the commit throws. */
  Consumer<Transaction> onCommit = transaction -> {};

  /** Called before each sync; what it throws, the sync throws. */
  Runnable onSync = () -> {};

  @Override
  public long revision() {
    return store.revision();
  }

  @Override
  public Optional<Entry> get(String key) {
    return store.get(key);
  }

  @Override
  public List<Entry> range(String from, String to, int limit) {
    return store.range(from, to, limit);
  }

  @Override
  public long commit(Transaction transaction) {
    onCommit.accept(transaction);
    return store.commit(transaction);
  }

  @Override
  public void sync() {
    onSync.run();
    store.sync();
  }

  @Override
  public Watch watch(String prefix, long after, Listener listener) {
    return store.watch(prefix, after, listener);
  }

  @Override
  public Lease grant(Duration timeToLive) {
    return store.grant(timeToLive);
  }

  @Override
  public void close() {
    store.close();
  }
}
