package dev.stapes.examples.lifecycle;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.internal.store.SqliteStateStoreProvider;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Provider;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.Faults;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * A JVM that is to die: it goes through the life of an instance, and halts (as SIGKILL would: no
 * finally block, no hook) at the n-th effect on the store, the pool, the driver or the host.
 */
public final class CrashChild {
  /** It came to the end of the life: there are fewer effects than n. */
  static final int SURVIVED = 0;

  /** It died where it was told to. */
  static final int DIED = 137;

  private CrashChild() {}

  /** Arguments: root directory, n, {@code before} or {@code after} the effect. */
  public static void main(String[] arguments) {
    Path root = Path.of(arguments[0]);
    int n = Integer.parseInt(arguments[1]);
    Faults faults = new Faults().count();
    try (Stapes stapes = open(root, faults)) {
      if (arguments[2].equals("before")) {
        faults.failNth(n, () -> die(faults));
      } else {
        faults.failAfterNth(n, () -> die(faults));
      }
      live(stapes);
    }
  }

  private static StapesException die(Faults faults) {
    System.out.println("died at " + faults.trace().get(faults.trace().size() - 1));
    System.out.flush();
    Runtime.getRuntime().halt(DIED);
    throw new AssertionError("nobody survives a halt");
  }

  private static void live(Stapes stapes) {
    Instance one =
        stapes.instances().create(InstanceSpec.container("one", "busybox").build()).start();
    one.exec("sh", "-c", "echo 1 > /root/file; sync").orThrow();
    one.snapshots().create("s");
    one.snapshots().restore("s");
    Instance two = one.copyTo("two");
    two.rename("other");
    one.delete(Delete.FORCE);
    two.delete();
  }

  private static Stapes open(Path root, Faults faults) {
    return Stapes.builder(root)
        .with(faults.wrap(HostProvider.class, only(HostProvider.class, "linux")))
        .with(faults.wrap(InstanceDriverProvider.class, only(InstanceDriverProvider.class, "lxc")))
        .with(faults.wrap(StorageDriverProvider.class, only(StorageDriverProvider.class, "btrfs")))
        .with(faults.wrap(StateStoreProvider.class, new SqliteStateStoreProvider()))
        .defaultPool(PoolSpec.of("default", "btrfs"))
        .open();
  }

  private static <P extends Provider> P only(Class<P> type, String name) {
    for (P provider : ServiceLoader.load(type)) {
      if (provider.name().equals(name)) {
        return provider;
      }
    }
    throw new IllegalStateException("no " + type.getSimpleName() + " named " + name);
  }
}
