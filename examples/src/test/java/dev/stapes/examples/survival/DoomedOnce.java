package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.internal.store.SqliteStateStoreProvider;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.testkit.Faults;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A JVM that does one thing with an instance, and halts before the n-th call of a method of the
 * engine's interfaces; see {@link Doomed}.
 */
public final class DoomedOnce {
  private static final int DIED = 137;

  private DoomedOnce() {}

  /** Dies in a start, before the processors of the machine run. */
  public static void inStart(Path root, String driver, String instance) throws Exception {
    run(root.toString(), driver, "unfreeze", "1", instance);
  }

  /**
   * Dies in an update that adds a disk {@code late}, of a virtual machine an interface {@code lan},
   * too, and removes other devices, when all of it has been done and is not written down.
   */
  public static void inUpdate(
      Path root, String driver, String instance, Path late, String... removed) throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of(root.toString(), driver, "commit", "2", instance, late.toString()));
    arguments.addAll(List.of(removed));
    run(arguments.toArray(String[]::new));
  }

  private static void run(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                System.getProperty("java.class.path"),
                DoomedOnce.class.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(DIED, process.waitFor(), output);
  }

  /** Arguments: root directory, storage driver, method, n, instance, and what an update does. */
  public static void main(String[] arguments) {
    String fatal = arguments[2];
    int n = Integer.parseInt(arguments[3]);
    Faults faults = new Faults(method -> method.getName().equals(fatal));
    try (Stapes stapes =
        Stapes.builder(Path.of(arguments[0]))
            .with(
                faults.wrap(
                    InstanceDriverProvider.class, Found.of(InstanceDriverProvider.class, "qemu")))
            .with(faults.wrap(StateStoreProvider.class, new SqliteStateStoreProvider()))
            .defaultPool(PoolSpec.of("default", arguments[1]))
            .open()) {
      Instance vm = stapes.instances().get(arguments[4]);
      faults.failNth(n, DoomedOnce::die);
      if (arguments.length == 5) {
        vm.start();
      } else {
        update(vm, arguments);
      }
    }
  }

  private static void update(Instance vm, String... arguments) {
    List<String> removed = Arrays.asList(arguments).subList(6, arguments.length);
    vm.update(
        change -> {
          change.device("late", Device.disk("/late", disk -> disk.source(arguments[5])));
          if (vm.info().type() == InstanceType.VIRTUAL_MACHINE) {
            change.device("lan", Device.Nic.p2p());
          }
          removed.forEach(change::removeDevice);
        });
  }

  private static StapesException die() {
    Runtime.getRuntime().halt(DIED);
    throw new AssertionError("nobody survives a halt");
  }
}
