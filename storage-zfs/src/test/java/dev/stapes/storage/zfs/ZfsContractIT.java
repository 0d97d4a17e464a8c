package dev.stapes.storage.zfs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;

/**
 * The contract for pools in datasets of a zpool that is there. All that the driver does to the
 * machine goes through the host, so it needs no faults of its own.
 */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
class ZfsContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new ZfsProvider();
  }

  /** Each pool has a dataset of its own: some tests have two at once. */
  @Override
  protected PoolSpec poolSpec() {
    return PoolSpec.of("contract", "zfs").source(TestZpool.shared().dataset());
  }

  @Override
  protected PoolSpec otherPoolSpec() {
    return PoolSpec.of("other", "zfs").source(TestZpool.shared().dataset());
  }
}
