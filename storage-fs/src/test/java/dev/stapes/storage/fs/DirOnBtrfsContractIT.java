package dev.stapes.storage.fs;

import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import org.junit.jupiter.api.Tag;

/** The contract for directories on Btrfs. */
@Tag("once")
@net.jqwik.api.Tag("once")
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
class DirOnBtrfsContractIT extends OnDiskContract {
  @Override
  TestDisk disk() {
    return Disk.DISK;
  }

  @Override
  protected StorageDriverProvider provider() {
    return new DirProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new DirProvider(() -> FaultySyscalls.changes(faults));
  }

  /** Made when the first test wants it. */
  private static final class Disk {
    static final TestDisk DISK = TestDisk.formatted("btrfs");
  }
}
