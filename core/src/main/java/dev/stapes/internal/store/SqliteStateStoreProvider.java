package dev.stapes.internal.store;

import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStoreProvider;
import java.nio.file.Path;

/**
 * Opens the embedded state store, {@code state.db} in the root directory.
 *
 * <p>A commit that has returned survives the death of the process, also by {@code kill -9}: it is
 * in the kernel's page cache. Loss of power or a crash of the kernel may take the last commits,
 * always whole ones and the newest first, but none that came before a {@link StateStore#sync} that
 * returned. Closing it also puts everything on stable storage.
 *
 * <p>One store at a time can have the file: another one, of this or another process, is UNAVAILABLE
 * at once. A lease ends when its process does: its keys are gone at the next opening.
 */
public final class SqliteStateStoreProvider implements StateStoreProvider {
  /** For {@link java.util.ServiceLoader}. */
  public SqliteStateStoreProvider() {}

  @Override
  public String name() {
    return "sqlite";
  }

  @Override
  public StateStore open(Path root) {
    return SqliteStateStore.open(root, LocalStateStore.monotonic());
  }
}
