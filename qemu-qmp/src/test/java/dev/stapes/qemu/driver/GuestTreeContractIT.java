package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Tree.Resolution;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.contract.TreeContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The files of a guest as any others, with this machine's shell in place of a guest's. */
@RequiresRoot
@Timeout(60)
class GuestTreeContractIT extends TreeContract {
  private final Host host = new LinuxHostProvider().open();
  private final ExecutorService behind = Executors.newCachedThreadPool();
  private final List<LocalExec> shells = new ArrayList<>();
  private final Path directory;

  GuestTreeContractIT(@TempDir Path dir) throws IOException {
    directory = Files.createDirectory(dir.toRealPath().resolve("a 'tree'"));
  }

  @Override
  protected Tree open(Resolution resolution) {
    LocalExec exec = new LocalExec(GuestShell.command(resolution));
    shells.add(exec);
    Tree tree = new GuestTree(GuestShell.of("guest", exec, behind), directory.toString());
    return new XattrsOf(tree, host.tree(directory, resolution));
  }

  @AfterEach
  void close() throws InterruptedException {
    behind.shutdown();
    assertFalse(!behind.awaitTermination(30, TimeUnit.SECONDS), "a shell does not end");
    for (LocalExec shell : shells) {
      assertFalse(shell.isAlive(), "a shell goes on");
    }
    host.close();
  }
}
