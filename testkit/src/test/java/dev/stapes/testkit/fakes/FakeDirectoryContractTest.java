package dev.stapes.testkit.fakes;

import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.contract.TreeContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** A real directory, as a fake host shows it. */
class FakeDirectoryContractTest extends TreeContract {
  private final FakeHost host = FakeHost.create();
  private final Path directory;

  FakeDirectoryContractTest(@TempDir Path directory) {
    this.directory = directory;
  }

  @Override
  protected Tree open(Tree.Resolution resolution) {
    return host.tree(directory, resolution);
  }
}
