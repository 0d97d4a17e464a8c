package dev.stapes.testkit.fakes;

import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.contract.TreeContract;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What is mounted on a fake host. */
class FakeTreeContractTest extends TreeContract {
  private final FakeHost host = FakeHost.create();
  private final Path directory;

  FakeTreeContractTest(@TempDir Path directory) {
    this.directory = directory;
  }

  @BeforeEach
  void mount() {
    host.mounts().mount("memory", directory, "tmpfs", Set.of(), "");
  }

  @Override
  protected Tree open(Tree.Resolution resolution) {
    return host.tree(directory, resolution);
  }
}
