package dev.stapes.internal.store;

import dev.stapes.spi.StateStore.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Entries in memory. */
final class TreeTable implements Table {
  private final TreeMap<String, Entry> entries = new TreeMap<>(KeyRules.ORDER);
  private final Map<String, Long> leaseOf = new HashMap<>();
  private final Map<Long, TreeSet<String>> keysOf = new HashMap<>();
  private long revision;

  @Override
  public long revision() {
    return revision;
  }

  @Override
  public Optional<Entry> get(String key) {
    return Optional.ofNullable(entries.get(key));
  }

  @Override
  public List<Entry> range(String from, String to, int limit) {
    if (KeyRules.ORDER.compare(from, to) >= 0) {
      return List.of();
    }
    List<Entry> found = new ArrayList<>();
    for (Entry entry : entries.subMap(from, to).values()) {
      if (found.size() == limit) {
        break;
      }
      found.add(entry);
    }
    return found;
  }

  @Override
  public List<String> leased(long lease) {
    return List.copyOf(keysOf.getOrDefault(lease, new TreeSet<>()));
  }

  @Override
  public List<String> leased() {
    TreeSet<String> keys = new TreeSet<>(KeyRules.ORDER);
    keys.addAll(leaseOf.keySet());
    return List.copyOf(keys);
  }

  @Override
  public void apply(long revision, List<Write> writes) {
    for (Write write : writes) {
      detach(write.key());
      if (write.entry() == null) {
        entries.remove(write.key());
        continue;
      }
      entries.put(write.key(), write.entry());
      if (write.lease() != 0) {
        leaseOf.put(write.key(), write.lease());
        keysOf
            .computeIfAbsent(write.lease(), lease -> new TreeSet<>(KeyRules.ORDER))
            .add(write.key());
      }
    }
    this.revision = revision;
  }

  private void detach(String key) {
    Long lease = leaseOf.remove(key);
    if (lease == null) {
      return;
    }
    TreeSet<String> keys = keysOf.get(lease);
    if (keys != null) {
      keys.remove(key);
      if (keys.isEmpty()) {
        keysOf.remove(lease);
      }
    }
  }

  @Override
  public void sync() {}

  @Override
  public void close() {}
}
