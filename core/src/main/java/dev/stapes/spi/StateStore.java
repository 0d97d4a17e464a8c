package dev.stapes.spi;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Where everything durable is kept: ordered keys, values, revisions, compare-and-set transactions,
 * watches and leases; etcd's model, so that etcd itself can stand behind it. A key is a text of 1
 * to 512 characters, ordered by its UTF-8 bytes; a value at most 1 MiB. Methods may be called from
 * any thread.
 */
public interface StateStore extends AutoCloseable {
  /** The revision of the last commit, 0 before the first. It grows by one with each. */
  long revision();

  /** One key. */
  Optional<Entry> get(String key);

  /**
   * The keys of a range, in order.
   *
   * @param from included
   * @param to excluded
   * @param limit at most so many, at least 1
   */
  List<Entry> range(String from, String to, int limit);

  /** All keys that start with a prefix, in order. */
  default List<Entry> prefix(String prefix) {
    return range(prefix, end(prefix), Integer.MAX_VALUE);
  }

  /**
   * Does all of a transaction, or nothing. When this returns, the death of the process loses
   * nothing of it; {@link #sync} makes it survive a loss of power.
   *
   * @return the new revision
   * @throws dev.stapes.model.StapesException CONFLICT where a condition does not hold, naming the
   *     key; nothing was changed
   */
  long commit(Transaction transaction);

  /** Returns when all that was committed is on stable storage. */
  void sync();

  /**
   * Tells a listener of each change under a prefix, in order, on a thread of the store, until the
   * answer is closed.
   *
   * @param after the revision after which changes are told; changes that the store has forgotten
   *     are UNAVAILABLE: read all again, watch from there
   */
  Watch watch(String prefix, long after, Consumer<Change> listener);

  /** Grants a lease: the keys that are put with it vanish when it is not kept alive for so long. */
  Lease grant(Duration timeToLive);

  /** Lets go of the store. Idempotent. */
  @Override
  void close();

  /** The first key that is behind all keys with a prefix. */
  static String end(String prefix) {
    // '\uffff' is no character of any key, and no surrogate sorts behind its UTF-8 form in one.
    return prefix + '\uffff';
  }

  /**
   * A key and what it holds.
   *
   * @param key the key
   * @param value its value, JSON in UTF-8
   * @param created the revision that created it
   * @param modified the revision that changed it last
   */
  record Entry(String key, String value, long created, long modified) {}

  /**
   * A change of a key.
   *
   * @param key the key
   * @param value what it holds now; empty: it was removed
   * @param revision of the commit
   */
  record Change(String key, Optional<String> value, long revision) {}

  /** A subscription. */
  interface Watch extends AutoCloseable {
    /** Ends it; when this returns the listener is not called any more. */
    @Override
    void close();
  }

  /** A promise to be alive. */
  interface Lease extends AutoCloseable {
    /** Names it. */
    long id();

    /** Begins its time anew; NOT_FOUND where it ran out. */
    void keepAlive();

    /** Gives it back: its keys vanish now. Idempotent. */
    @Override
    void close();
  }

  /**
   * What is committed at once.
   *
   * @param conditions the revision that each key must have been modified at last; empty: it must
   *     not exist; copied
   * @param puts new values; copied
   * @param removes keys to remove, whether they exist or not; copied
   * @param lease that the puts hang on; empty: none
   */
  record Transaction(
      SortedMap<String, OptionalLong> conditions,
      SortedMap<String, String> puts,
      List<String> removes,
      OptionalLong lease) {
    /** Copies. */
    public Transaction {
      conditions = Collections.unmodifiableSortedMap(new TreeMap<>(conditions));
      puts = Collections.unmodifiableSortedMap(new TreeMap<>(puts));
      removes = List.copyOf(removes);
    }

    /** Starts one. */
    public static Builder begin() {
      return new Builder();
    }

    /** Collects the parts. */
    public static final class Builder {
      private final TreeMap<String, OptionalLong> conditions = new TreeMap<>();
      private final TreeMap<String, String> puts = new TreeMap<>();
      private final TreeMap<String, String> removes = new TreeMap<>();
      private OptionalLong lease = OptionalLong.empty();

      private Builder() {}

      /** Only if the key does not exist. */
      public Builder ifAbsent(String key) {
        conditions.put(key, OptionalLong.empty());
        return this;
      }

      /** Only if the key was modified last at this revision. */
      public Builder ifUnchanged(String key, long modified) {
        conditions.put(key, OptionalLong.of(modified));
        return this;
      }

      /** Sets a key. */
      public Builder put(String key, String value) {
        puts.put(key, value);
        removes.remove(key);
        return this;
      }

      /** Removes a key. */
      public Builder remove(String key) {
        removes.put(key, key);
        puts.remove(key);
        return this;
      }

      /** The puts vanish with a lease. */
      public Builder lease(long id) {
        lease = OptionalLong.of(id);
        return this;
      }

      /** The transaction. */
      public Transaction build() {
        return new Transaction(conditions, puts, List.copyOf(removes.keySet()), lease);
      }
    }
  }
}
