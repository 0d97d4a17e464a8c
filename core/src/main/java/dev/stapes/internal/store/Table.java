package dev.stapes.internal.store;

import dev.stapes.spi.StateStore.Entry;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where the entries are. The store calls it under its lock, with what it has checked; so nothing
 * here is called by two threads at once.
 */
interface Table extends AutoCloseable {
  /** The revision of the last {@link #apply}. */
  long revision();

  Optional<Entry> get(String key);

  List<Entry> range(String from, String to, int limit);

  /** The keys that hang on a lease, in order. */
  List<String> leased(long lease);

  /**
   * The keys that hang on any lease, in order; after opening: on leases that died with a process.
   */
  List<String> leased();

  /**
   * Does all or, when it throws, nothing.
   *
   * @param revision that these writes make
   */
  void apply(long revision, List<Write> writes);

  /** Returns when all that was applied is on stable storage. */
  void sync();

  @Override
  void close();

  /**
   * One key's change.
   *
   * @param key the key
   * @param entry what it holds from now on; null: it is removed
   * @param lease that it hangs on; 0: none
   */
  record Write(String key, @Nullable Entry entry, long lease) {
    static Write remove(String key) {
      return new Write(key, null, 0);
    }
  }
}
