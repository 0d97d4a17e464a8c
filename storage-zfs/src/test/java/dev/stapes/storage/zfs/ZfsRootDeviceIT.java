package dev.stapes.storage.zfs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.RootDeviceContract;

/** The root disks of virtual machines are zvols. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
class ZfsRootDeviceIT extends RootDeviceContract {
  private final String dataset = TestZpool.shared().dataset();

  @Override
  protected StorageDriverProvider provider() {
    return new ZfsProvider();
  }

  @Override
  protected PoolSpec pool() {
    return PoolSpec.of("default", "zfs").source(dataset);
  }
}
