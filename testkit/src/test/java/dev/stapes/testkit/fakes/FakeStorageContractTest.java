package dev.stapes.testkit.fakes;

import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeStorage;
import dev.stapes.testkit.contract.StorageDriverContract;
import java.nio.file.Path;
import java.util.Set;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.PropertyDefaults;

@PropertyDefaults(tries = 200, edgeCases = EdgeCasesMode.NONE)
class FakeStorageContractTest extends StorageDriverContract {
  @Override
  protected StorageDriverProvider provider() {
    return FakeStorage.create();
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
