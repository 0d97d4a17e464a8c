package dev.stapes.storage.lvm;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;

/** The contract for plain volumes in a group in a loop file, with ext4. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
class LvmPlainContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new LvmProvider();
  }

  /** Discarded volumes have all of their size until they are reclaimed. */
  @Override
  protected PoolSpec poolSpec() {
    return super.poolSpec()
        .size(Size.ofGibibytes(4))
        .with("lvm.use_thinpool", "false")
        .with("volume.size", "64MiB");
  }

  @Override
  protected boolean takesSpaceAsWritten() {
    return false;
  }
}
