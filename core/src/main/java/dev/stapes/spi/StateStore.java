package dev.stapes.spi;

import dev.stapes.model.StapesException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where everything durable is kept: ordered keys, values, revisions, compare-and-set transactions,
 * watches and leases; etcd's model, so that etcd itself can stand behind it.
 *
 * <p>A key is a text of 1 to 512 {@code char}s, ordered by its UTF-8 bytes, without control
 * characters (U+0000 to U+001F, U+007F), without U+10FFFF, which {@link #end} needs, and without
 * half of a surrogate pair. A value is at most 1 MiB of UTF-8, also without half pairs. What breaks
 * these rules is INVALID.
 *
 * <p>Methods may be called from any thread, and what one thread was told no other thread finds
 * undone: a read that begins after {@link #commit} returned sees it. An interrupted thread's call
 * runs to its end and leaves the thread interrupted, so that a rollback can still write. After
 * {@link #close} all but {@code close} are UNAVAILABLE.
 */
public interface StateStore extends AutoCloseable {
  /**
   * The revision of the last commit, 0 before the first. It grows by one with each that changed
   * something.
   */
  long revision();

  /** One key. */
  Optional<Entry> get(String key);

  /**
   * The keys of a range, in order.
   *
   * @param from included; any text, also an empty one
   * @param to excluded; any text; nothing is in a range that ends before it begins
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
   * @return the new revision; the present one where it changes nothing, having only conditions that
   *     hold and removes of keys that do not exist
   * @throws StapesException CONFLICT where a condition does not hold, naming the key; NOT_FOUND
   *     where the lease ran out; EXHAUSTED where the disk is full; nothing was changed, and the
   *     store can still be used
   */
  long commit(Transaction transaction);

  /** Returns when all that was committed is on stable storage. */
  void sync();

  /**
   * Tells a listener of each change under a prefix, ordered by revision and within one by key, on a
   * thread of the store, until the answer is closed.
   *
   * @param after the revision after which changes are told, at least 0; changes that the store has
   *     forgotten are UNAVAILABLE: read all again, watch from there
   */
  Watch watch(String prefix, long after, Listener listener);

  /**
   * Grants a lease: the keys that are put with it vanish, in one commit, when it is not kept alive
   * for so long. A put without it takes its key off the lease. A lease does not outlive the process
   * that keeps it alive by more than its time.
   *
   * @param timeToLive 1 millisecond to 365 days
   */
  Lease grant(Duration timeToLive);

  /** Lets go of the store. Idempotent. */
  @Override
  void close();

  /** The first key that is behind all keys with a prefix. */
  static String end(String prefix) {
    // U+10FFFF, the last code point, sorts behind all others in UTF-8 and is in no key.
    return prefix + "\udbff\udfff";
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

  /**
   * Is told of changes, one at a time, on a thread that it shares with other listeners: it returns
   * soon. It may call the store. What it throws is logged, and it is told of the next change.
   */
  @FunctionalInterface
  interface Listener {
    /** A key changed. */
    void changed(Change change);

    /**
     * The listener was so slow that the store has forgotten changes which it was not told yet. The
     * watch has ended; this is the last call. Does nothing unless overridden.
     *
     * @param reason UNAVAILABLE: read all again, watch from there
     */
    default void lost(StapesException reason) {}
  }

  /** A subscription. */
  interface Watch extends AutoCloseable {
    /**
     * Ends it; when this returns the listener is not called any more. It waits for a call that is
     * under way, unless that call makes it. Idempotent.
     */
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
   * @param conditions the revision, at least 1, that each key must have been modified at last;
   *     empty: it must not exist; copied
   * @param puts new values; copied
   * @param removes keys to remove, whether they exist or not, none of them put as well; copied
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
