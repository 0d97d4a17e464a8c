package dev.stapes.linux.host;

import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Tree.Resolution;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.contract.TreeContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The trees of the kernel, with owners as they are. */
@RequiresRoot
@Timeout(60)
class HostTreeContractIT extends TreeContract {
  private final Host host = new LinuxHostProvider().withoutTicker().open();
  private final Path directory;

  HostTreeContractIT(@TempDir Path dir) throws IOException {
    directory = Files.createDirectory(dir.toRealPath().resolve("tree"));
  }

  @Override
  protected Tree open(Resolution resolution) {
    return host.tree(directory, resolution);
  }

  @AfterEach
  void close() {
    host.close();
  }
}
