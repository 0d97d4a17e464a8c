package dev.stapes.storage.lvm;

import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;

/** The contract for a thin pool in a loop file, with ext4. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
class LvmContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new LvmProvider();
  }
}
