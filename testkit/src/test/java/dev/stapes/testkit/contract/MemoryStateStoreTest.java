package dev.stapes.testkit.contract;

import dev.stapes.spi.StateStore;
import java.nio.file.Path;

class MemoryStateStoreTest extends StateStoreContract {
  @Override
  protected StateStore newStore() {
    return Stores.named("memory").open(Path.of("unused"));
  }

  @Override
  protected void deleteStores() {}
}
