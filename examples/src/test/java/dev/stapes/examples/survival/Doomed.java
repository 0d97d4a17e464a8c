package dev.stapes.examples.survival;

import dev.stapes.Stapes;
import dev.stapes.internal.store.SqliteStateStoreProvider;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.function.Predicate;

/**
 * A JVM that is to die: it lives a {@link Life}, and halts (as SIGKILL would: no finally block, no
 * hook) before the n-th effect on the store, the pool, the driver or the host. What was done before
 * one effect is what was done after the one before it, so these are all the states in between.
 */
public final class Doomed {
  /** It came to the end of the life: there are fewer effects than n. */
  static final int SURVIVED = 0;

  /** Stands before the name of a {@link MachineLife}. */
  static final String MACHINE = "machine:";

  /** It died where it was told to. */
  static final int DIED = 137;

  private Doomed() {}

  /** Arguments: root directory, storage driver, life, n. */
  public static void main(String[] arguments) {
    Path root = Path.of(arguments[0]);
    String driver = arguments[1];
    int n = Integer.parseInt(arguments[3]);
    Faults faults = new Faults(ofInterest()).count();
    try (Stapes stapes = open(root, driver, faults)) {
      faults.failNth(n, () -> die(faults, n));
      Diary diary = new Diary(stapes, System.out);
      if (arguments[2].startsWith(MACHINE)) {
        MachineLife.valueOf(arguments[2].substring(MACHINE.length())).live(stapes, diary);
      } else {
        Life.valueOf(arguments[2]).live(stapes, Life.extraPool(driver), diary);
      }
    }
  }

  /** What programs in an instance are told changes nothing that a crash could leave half done. */
  static Predicate<Method> ofInterest() {
    return Faults.usual()
        .and(
            method ->
                !(method.getDeclaringClass() == Machine.class && method.getName().equals("exec"))
                    && method.getDeclaringClass() != Processes.Handle.class
                    && method.getDeclaringClass() != OutputStream.class);
  }

  static StapesException die(Faults faults, int n) {
    System.out.println("died before " + faults.trace().get(n - 1));
    System.out.flush();
    Runtime.getRuntime().halt(DIED);
    throw new AssertionError("nobody survives a halt");
  }

  static Stapes open(Path root, String driver, Faults faults) {
    return Stapes.builder(root)
        .with(faults.wrap(HostProvider.class, Found.of(HostProvider.class, "linux")))
        .with(
            faults.wrap(
                InstanceDriverProvider.class, Found.of(InstanceDriverProvider.class, "lxc")))
        .with(
            faults.wrap(
                InstanceDriverProvider.class, Found.of(InstanceDriverProvider.class, "qemu")))
        .with(
            faults.wrap(StorageDriverProvider.class, Found.of(StorageDriverProvider.class, driver)))
        .with(faults.wrap(StateStoreProvider.class, new SqliteStateStoreProvider()))
        .defaultPool(PoolSpec.of("default", driver))
        .open();
  }
}
