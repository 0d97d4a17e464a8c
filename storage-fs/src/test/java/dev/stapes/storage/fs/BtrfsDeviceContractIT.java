package dev.stapes.storage.fs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.StorageDriverContract;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;

/** The contract for Btrfs on a whole device. */
@Tag("once")
@net.jqwik.api.Tag("once")
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
class BtrfsDeviceContractIT extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return new BtrfsProvider();
  }

  @Override
  protected StorageDriverProvider provider(Faults faults) {
    return new BtrfsProvider(() -> FaultySyscalls.changes(faults));
  }

  /** Each pool has a device of its own: some tests have two at once. */
  @Override
  protected PoolSpec poolSpec() {
    return PoolSpec.of("contract", "btrfs").source(Disks.free().toString());
  }

  @Override
  protected PoolSpec otherPoolSpec() {
    return PoolSpec.of("other", "btrfs").source(Disks.free().toString());
  }

  /** Made when the first test wants them. */
  private static final class Disks {
    private static final List<TestDisk> ALL =
        Stream.generate(() -> TestDisk.blank(256L << 20)).limit(4).toList();

    static Path free() {
      return ALL.stream().filter(TestDisk::isFree).findFirst().orElseThrow().device();
    }
  }
}
