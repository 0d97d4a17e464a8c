package dev.stapes.examples.survival;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.internal.store.SqliteStateStoreProvider;
import dev.stapes.model.InstanceSpec;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;

/** Fills a state with the records of many instances that have no volumes. */
final class FilledStore {
  private static final String MODEL = "model";
  private static final int PER_COMMIT = 20;

  private FilledStore() {}

  /**
   * Adds instances {@code i0}, {@code i1} and so on with snapshots {@code s0} and so on, whose
   * records are those of a true one.
   *
   * @param root of no open Stapes
   * @param opener opens it; it has an image {@code busybox}
   */
  static void fill(Path root, Supplier<Stapes> opener, int instances, int snapshots) {
    try (Stapes stapes = opener.get()) {
      stapes
          .instances()
          .create(InstanceSpec.container(MODEL, "busybox").build())
          .snapshots()
          .create(MODEL);
    }
    try (StateStore store = new SqliteStateStoreProvider().open(root)) {
      Entry instance = store.prefix("instances/").get(0);
      Entry snapshot = store.prefix("snapshots/").get(0);
      String id = instance.key().substring("instances/".length());
      Transaction.Builder records = Transaction.begin();
      for (int i = 0; i < instances; i++) {
        String other = String.format(Locale.ROOT, "x%011d", i);
        records.put("names/i" + i, other);
        records.put("instances/" + other, named(instance, id, other, "i" + i));
        for (int j = 0; j < snapshots; j++) {
          String name = "s" + j;
          records.put(
              "snapshots/" + other + "/" + name,
              named(snapshot, id, other, name).replace(other + "-", other + "-" + j + "-"));
        }
        if (i % PER_COMMIT == PER_COMMIT - 1 || i == instances - 1) {
          store.commit(records.build());
          records = Transaction.begin();
        }
      }
    }
    try (Stapes stapes = opener.get()) {
      Instance model = stapes.instances().get(MODEL);
      model.delete();
    }
  }

  private static String named(Entry entry, String id, String other, String name) {
    return entry
        .value()
        .replace(id, other)
        .replace("\"name\":\"" + MODEL + "\"", "\"name\":\"" + name + "\"");
  }
}
