package dev.stapes.lxc.driver;

import dev.stapes.model.Lifetime;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * Starts a durable and a throwaway container in the place of another JVM, and waits to be killed.
 */
final class OtherJvm {
  private OtherJvm() {}

  /**
   * Runs.
   *
   * @param arguments the directory of the test box, the tag of its scope, a file for the two pids,
   *     and {@code ahead} to wait until others have been started ahead
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    TestBox box = TestBox.at(Path.of(arguments[0]), arguments[1]);
    if (arguments.length > 3) {
      for (Lifetime lifetime : List.of(Lifetime.DURABLE, Lifetime.THROWAWAY)) {
        Machine first = box.driver.start(box.spec("first", lifetime, Map.of()));
        first.kill();
      }
    }
    Machine durable = box.driver.start(box.spec("durable1", Lifetime.DURABLE, Map.of()));
    Machine throwaway = box.driver.start(box.spec("throwaway", Lifetime.THROWAWAY, Map.of()));
    while (box.monitors().size() < 4) { // two more wait for the next start
      Thread.onSpinWait();
    }
    while (arguments.length > 3 && box.waiting().size() < 2) {
      Thread.onSpinWait();
    }
    Path file = Path.of(arguments[2]);
    Path written = file.resolveSibling("pids.new");
    Files.write(written, List.of(Long.toString(durable.pid()), Long.toString(throwaway.pid())));
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    new CountDownLatch(1).await();
  }
}
