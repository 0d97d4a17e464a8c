package dev.stapes.internal.store;

import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStoreProvider;
import java.nio.file.Path;

/** Opens a {@link MemoryStateStore}, a new one at each call. */
public final class MemoryStateStoreProvider implements StateStoreProvider {
  /** For {@link java.util.ServiceLoader}. */
  public MemoryStateStoreProvider() {}

  @Override
  public String name() {
    return "memory";
  }

  /** The root is not touched. */
  @Override
  public StateStore open(Path root) {
    return new MemoryStateStore();
  }
}
