package dev.stapes.testkit.engine;

import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.testkit.Faults;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** A store in memory that outlives those who close it, and whose effects can be made to fail. */
final class KeptStore implements StateStore, StateStoreProvider {
  private final StateStore store;
  private final Writes writes;

  KeptStore(Faults faults) {
    StateStore memory = named("memory").open(Path.of(""));
    store = memory;
    writes = faults.wrap(Writes.class, new Plain(memory));
  }

  /** One of the stores that core provides. */
  static StateStoreProvider named(String name) {
    return ServiceLoader.load(StateStoreProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The effects of a store. */
  public interface Writes {
    /**
     * Commits. What it gives is a resource, and {@link Faults} never lets the making of one happen
     * and fail: by the contract of stores a commit that throws has changed nothing.
     */
    Committed commit(Transaction transaction);

    /** Syncs. */
    void sync();
  }

  /** What came of a commit. */
  public interface Committed extends AutoCloseable {
    /** The revision. */
    long revision();

    @Override
    void close();
  }

  private record Plain(StateStore store) implements Writes {
    @Override
    public Committed commit(Transaction transaction) {
      return new Done(store.commit(transaction));
    }

    @Override
    public void sync() {
      store.sync();
    }
  }

  private record Done(long revision) implements Committed {
    @Override
    public void close() {
      // There is nothing to give back.
    }
  }

  @Override
  public String name() {
    return "kept";
  }

  @Override
  public StateStore open(Path root) {
    return this;
  }

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
    try (Committed committed = writes.commit(transaction)) {
      return committed.revision();
    }
  }

  @Override
  public void sync() {
    writes.sync();
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
    // It is a disk that stays when the engine goes.
  }
}
