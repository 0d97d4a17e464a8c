package dev.stapes.internal.store;

import dev.stapes.internal.store.Table.Write;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A state store for one process: revisions, transactions, watches and leases over a {@link Table}.
 * One lock orders everything; what is in the {@link ReadCache} is read without it.
 */
abstract class LocalStateStore implements StateStore {
  /** What watches can be behind: commits of small values by number, of big ones by weight. */
  private static final int LOG_CHANGES = 16_384;

  private static final long LOG_WEIGHT = 32L << 20;

  private final String subject;
  private final Table table;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReadCache cache = new ReadCache();
  private final Leases leases;
  private final ChangeLog changes;
  private final StoreThread thread;
  private volatile long revision;
  private volatile boolean closed;

  /** Takes over the table; keys on leases that died with an earlier process vanish. */
  LocalStateStore(String subject, Table table, InstantSource clock) {
    this.subject = subject;
    this.table = table;
    this.leases = new Leases(clock);
    List<String> orphans = table.leased();
    long before = table.revision();
    long now = orphans.isEmpty() ? before : before + 1;
    if (!orphans.isEmpty()) {
      table.apply(now, orphans.stream().map(Write::remove).toList());
    }
    this.revision = now;
    this.changes = new ChangeLog(now, LOG_CHANGES, LOG_WEIGHT);
    this.thread = new StoreThread(subject, lock, changes, this::expire);
  }

  /** A clock that no one can set back or forward. */
  static InstantSource monotonic() {
    Instant start = Instant.now();
    long origin = System.nanoTime();
    return () -> start.plusNanos(System.nanoTime() - origin);
  }

  @Override
  public final long revision() {
    ensureOpen();
    return revision;
  }

  @Override
  public final Optional<Entry> get(String key) {
    KeyRules.key(key);
    ensureOpen();
    ReadCache.Known known = cache.get(key);
    if (known != null) {
      return known.entry();
    }
    lock.lock();
    try {
      ensureOpen();
      return find(key);
    } finally {
      lock.unlock();
    }
  }

  private Optional<Entry> find(String key) {
    ReadCache.Known known = cache.get(key);
    if (known != null) {
      return known.entry();
    }
    Optional<Entry> found = table.get(key);
    cache.remember(key, found);
    return found;
  }

  @Override
  public final List<Entry> range(String from, String to, int limit) {
    KeyRules.text("begin of a range", from);
    KeyRules.text("end of a range", to);
    if (limit < 1) {
      throw StapesException.invalid("limit of a range", "must be at least 1: " + limit);
    }
    lock.lock();
    try {
      ensureOpen();
      return table.range(from, to, limit);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final long commit(Transaction transaction) {
    KeyRules.transaction(transaction);
    lock.lock();
    try {
      ensureOpen();
      if (transaction.lease().isPresent()) {
        leases.check(transaction.lease().getAsLong());
      }
      transaction.conditions().forEach(this::checkCondition);
      return apply(writes(transaction));
    } finally {
      lock.unlock();
    }
  }

  private void checkCondition(String key, OptionalLong modified) {
    Optional<Entry> entry = find(key);
    String problem;
    if (modified.isEmpty()) {
      if (entry.isEmpty()) {
        return;
      }
      problem = "exists already, since revision " + entry.get().created();
    } else if (entry.isEmpty()) {
      problem = "does not exist, expected revision " + modified.getAsLong();
    } else if (entry.get().modified() == modified.getAsLong()) {
      return;
    } else {
      problem =
          "changed in revision "
              + entry.get().modified()
              + ", expected revision "
              + modified.getAsLong();
    }
    throw new StapesException(StapesException.Kind.CONFLICT, "state key " + key, problem);
  }

  private List<Write> writes(Transaction transaction) {
    long next = revision + 1;
    long lease = transaction.lease().orElse(0);
    List<Write> writes = new ArrayList<>();
    for (Map.Entry<String, String> put : transaction.puts().entrySet()) {
      String key = put.getKey();
      long created = find(key).map(Entry::created).orElse(next);
      writes.add(new Write(key, new Entry(key, put.getValue(), created, next), lease));
    }
    transaction.removes().stream()
        .distinct()
        .filter(key -> find(key).isPresent())
        .forEach(key -> writes.add(Write.remove(key)));
    writes.sort(Comparator.comparing(Write::key, KeyRules.ORDER));
    return writes;
  }

  /** Under the lock. The order of the steps is what {@link ReadCache} and readers rely on. */
  private long apply(List<Write> writes) {
    if (writes.isEmpty()) {
      return revision;
    }
    long next = revision + 1;
    cache.forget(writes);
    table.apply(next, writes);
    revision = next;
    List<Change> made = new ArrayList<>(writes.size());
    for (Write write : writes) {
      Optional<Entry> entry = Optional.ofNullable(write.entry());
      cache.remember(write.key(), entry);
      made.add(new Change(write.key(), entry.map(Entry::value), next));
    }
    changes.add(next, List.copyOf(made));
    thread.committed();
    return next;
  }

  @Override
  public final void sync() {
    lock.lock();
    try {
      ensureOpen();
      table.sync();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final Watch watch(String prefix, long after, Listener listener) {
    KeyRules.text("prefix of a watch", prefix);
    if (after < 0) {
      throw StapesException.invalid("revision of a watch", "must be at least 0: " + after);
    }
    lock.lock();
    try {
      ensureOpen();
      if (after < changes.forgotten()) {
        throw StoreThread.forgotten(subject, after, changes);
      }
      return thread.watch(prefix, after, listener);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final Lease grant(Duration timeToLive) {
    lock.lock();
    try {
      ensureOpen();
      long id = leases.grant(timeToLive);
      thread.wake();
      return new Grant(id);
    } finally {
      lock.unlock();
    }
  }

  /** Ends the leases that ran out; under the lock, on the store's thread. */
  private @Nullable Duration expire() {
    leases.due().forEach(this::end);
    return leases.next();
  }

  private void end(long lease) {
    apply(table.leased(lease).stream().map(Write::remove).toList());
    leases.forget(lease);
  }

  /** Has the store's thread look at the clock now: for a clock that is moved by hand. */
  final void tick() {
    lock.lock();
    try {
      thread.wake();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    thread.close();
    lock.lock();
    try {
      table.close();
    } finally {
      lock.unlock();
    }
  }

  private void ensureOpen() {
    if (closed) {
      throw new StapesException(StapesException.Kind.UNAVAILABLE, subject, "closed");
    }
  }

  @Override
  public final String toString() {
    return subject;
  }

  private final class Grant implements Lease {
    private final long id;

    Grant(long id) {
      this.id = id;
    }

    @Override
    public long id() {
      return id;
    }

    @Override
    public void keepAlive() {
      lock.lock();
      try {
        ensureOpen();
        leases.keepAlive(id);
      } finally {
        lock.unlock();
      }
    }

    // A closed store is fine: the lease died with it.
    @Override
    public void close() {
      lock.lock();
      try {
        if (!closed && leases.knows(id)) {
          end(id);
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
