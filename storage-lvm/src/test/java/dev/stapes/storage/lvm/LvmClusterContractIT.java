package dev.stapes.storage.lvm;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;

/** The contract for the shared group that {@link LvmClusterLabIT} has made, with ext4. */
@RequiresRoot
@RequiresTool("lvm")
@RequiresTool("sanlock")
class LvmClusterContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new LvmClusterProvider();
  }

  @Override
  protected PoolSpec poolSpec() {
    return super.poolSpec().source("stapeslab").with("volume.size", "64MiB");
  }

  @Override
  protected boolean takesSpaceAsWritten() {
    return false;
  }
}
