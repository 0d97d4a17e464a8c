package dev.stapes.storage.fs;

import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;

/** The contract for Btrfs in a loop file. */
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
class BtrfsContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new BtrfsProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new BtrfsProvider(() -> FaultySyscalls.changes(faults));
  }
}
