package dev.stapes.storage.fs;

import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.contract.StorageDriverContract;

/** The contract for layers on the file system that the tests run on. */
@RequiresRoot
@RequiresKernel("overlay")
class OverlayContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new OverlayProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new OverlayProvider(() -> FaultySyscalls.changes(faults));
  }
}
