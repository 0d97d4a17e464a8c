package dev.stapes.testkit.contract;

import dev.stapes.spi.StateStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

class SqliteStateStoreTest extends DurableStateStoreContract {
  private final Map<StateStore, Path> roots = new HashMap<>();

  @Override
  protected StateStore newStore() {
    try {
      return open(Files.createTempDirectory("state"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private StateStore open(Path root) {
    StateStore store = Stores.named("sqlite").open(root);
    roots.put(store, root);
    return store;
  }

  @Override
  protected StateStore reopen(StateStore closed) {
    return open(Objects.requireNonNull(roots.get(closed)));
  }

  /** Fails where there is more than the one file that a closed store is. */
  @Override
  protected void deleteStores() {
    for (Path root : roots.values().stream().distinct().toList()) {
      try {
        Files.delete(root.resolve("state.db"));
        Files.delete(root);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    roots.clear();
  }
}
