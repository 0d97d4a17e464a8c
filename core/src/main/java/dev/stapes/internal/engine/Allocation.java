package dev.stapes.internal.engine;

import dev.stapes.model.Config;
import dev.stapes.spi.TakenException;
import java.util.AbstractCollection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Lets drivers choose what no two instances may share. What is chosen counts as taken from the
 * choice on, though its record is committed much later, when the volume is there.
 */
final class Allocation {
  private static final int MOST_TRIES = 10;

  private final Catalog catalog;
  private final Drivers drivers;
  private final Map<String, InstanceRecord> pending = new ConcurrentHashMap<>();

  Allocation(Catalog catalog, Drivers drivers) {
    this.catalog = catalog;
    this.drivers = drivers;
  }

  /** An instance with what its driver derives of it where nothing was written down. */
  InstanceRecord derived(InstanceRecord record) {
    Map<String, String> all =
        drivers.of(record.type()).allocate(Disks.unattached(record), List.of());
    return record.with(
        record.description(), record.typedConfig().with(all).values(), record.devices());
  }

  /** Chooses for an instance; the answer is closed when its record is committed or given up. */
  synchronized Reserved reserve(InstanceRecord draft) {
    Map<String, String> chosen =
        drivers.of(draft.type()).allocate(Disks.unattached(draft), others(draft));
    InstanceRecord record =
        draft.with(draft.description(), draft.typedConfig().with(chosen).values(), draft.devices());
    pending.put(record.id(), record);
    return new Reserved(record);
  }

  /**
   * Does something with what is chosen for an instance, and again with another choice where that
   * was somebody else's.
   */
  void use(InstanceRecord draft, Consumer<InstanceRecord> body) {
    for (int tries = 1; ; tries++) {
      try (Reserved reserved = reserve(draft)) {
        body.accept(reserved.record());
        return;
      } catch (TakenException e) {
        if (tries == MOST_TRIES) {
          throw e;
        }
      }
    }
  }

  /** Read only by a driver that asks: most instances share their ids, and need not look. */
  private Collection<Config> others(InstanceRecord of) {
    return new AbstractCollection<>() {
      private List<Config> read() {
        List<InstanceRecord> records = new ArrayList<>(pending.values());
        catalog.instances().forEach(stored -> records.add(stored.value()));
        return records.stream()
            .filter(record -> record.type() == of.type() && !record.id().equals(of.id()))
            .map(InstanceRecord::typedConfig)
            .toList();
      }

      @Override
      public Iterator<Config> iterator() {
        return read().iterator();
      }

      @Override
      public int size() {
        return read().size();
      }
    };
  }

  /** A record with what was chosen for it. */
  final class Reserved implements AutoCloseable {
    private final InstanceRecord record;

    private Reserved(InstanceRecord record) {
      this.record = record;
    }

    InstanceRecord record() {
      return record;
    }

    @Override
    public void close() {
      pending.remove(record.id());
    }
  }
}
