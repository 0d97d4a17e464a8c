package dev.stapes.storage.zfs;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;
import java.nio.file.Path;

/**
 * The contract for pools in datasets of a zpool that is there. Commands go through the host, and
 * calls of the library through the faults as well.
 */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
class ZfsContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new ZfsProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new ZfsProvider(
        Path.of("/"), () -> ZfsCalls.find().map(calls -> faults.wrap(ZfsCalls.class, calls)));
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
