package dev.stapes.storage.lvm;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.RootDeviceContract;

/** The root disks of virtual machines are thin volumes. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
class LvmRootDeviceIT extends RootDeviceContract {
  @Override
  protected StorageDriverProvider provider() {
    return new LvmProvider();
  }

  @Override
  protected PoolSpec pool() {
    return PoolSpec.of("default", "lvm").size(Size.ofMebibytes(512));
  }
}
