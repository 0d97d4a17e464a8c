package dev.stapes.storage.fs;

import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.contract.StorageDriverContract;

/** The contract for directories on the file system that the tests run on. */
@RequiresRoot
class DirContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new DirProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new DirProvider(() -> FaultySyscalls.changes(faults));
  }
}
