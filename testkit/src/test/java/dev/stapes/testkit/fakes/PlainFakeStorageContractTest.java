package dev.stapes.testkit.fakes;

import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeStorage;
import dev.stapes.testkit.FakeStorage.Capability;
import dev.stapes.testkit.contract.StorageDriverContract;
import java.nio.file.Path;
import java.util.Set;

/** A pool with no capability but that it maps owners itself. */
class PlainFakeStorageContractTest extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return FakeStorage.create()
        .without(Capability.QUOTAS)
        .without(Capability.SEND_RECEIVE)
        .without(Capability.RESUMABLE)
        .without(Capability.GROWABLE)
        .without(Capability.SCRATCH)
        .with(Capability.MAPS_OWNERS);
  }

  @Override
  protected Host openHost() {
    return FakeHost.create();
  }

  /** A fake leaves nothing on the machine but files, which the contract looks at itself. */
  @Override
  protected Set<String> leftovers(Path directory) {
    return Set.of();
  }
}
