package dev.stapes.storage.fs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.contract.StorageDriverContract;
import org.junit.jupiter.api.Tag;

/** The contract for a pool in memory. */
@Tag("once")
@net.jqwik.api.Tag("once")
@RequiresRoot
@RequiresKernel("tmpfs")
@RequiresKernel("overlay")
class DirOnTmpfsContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new DirProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new DirProvider(() -> FaultySyscalls.changes(faults));
  }

  @Override
  protected PoolSpec poolSpec() {
    return PoolSpec.of("contract", provider().name()).source(MemoryDirectory.make().toString());
  }

  @Override
  protected PoolSpec otherPoolSpec() {
    return PoolSpec.of("other", provider().name()).source(MemoryDirectory.make().toString());
  }
}
