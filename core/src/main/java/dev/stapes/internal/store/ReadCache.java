package dev.stapes.internal.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.stapes.spi.StateStore.Entry;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keys that were read, with what they hold or that they hold nothing, bounded by their weight.
 *
 * <p>It is read without the store's lock and written under it alone. {@link #forget} before a
 * commit and {@link #remember} after it make a commit one step for readers: once one of its keys is
 * told with its new value, the old value of none is here any more.
 */
final class ReadCache {
  /** Bytes, roughly. */
  private static final long CAPACITY = 16L << 20;

  /** Of an entry and of the cache's own node around it, measured on a 64-bit JVM, rounded up. */
  private static final int OVERHEAD = 200;

  private final Cache<String, Known> cache =
      Caffeine.newBuilder()
          .maximumWeight(CAPACITY)
          .weigher(ReadCache::weight)
          // Else its upkeep runs in the common pool, in threads that no close() joins.
          .executor(Runnable::run)
          .build();

  private static int weight(String key, Known known) {
    Optional<Entry> entry = known.entry();
    int value = entry.isPresent() ? 2 * entry.get().value().length() : 0;
    return OVERHEAD + 2 * key.length() + value;
  }

  /** What is known of a key; null: nothing. */
  @Nullable Known get(String key) {
    return cache.getIfPresent(key);
  }

  void remember(String key, Optional<Entry> entry) {
    cache.put(key, new Known(entry));
  }

  void forget(List<Table.Write> writes) {
    for (Table.Write write : writes) {
      cache.invalidate(write.key());
    }
  }

  /** What a key holds, or that it holds nothing. */
  record Known(Optional<Entry> entry) {}
}
