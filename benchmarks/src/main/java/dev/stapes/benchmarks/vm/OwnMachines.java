package dev.stapes.benchmarks.vm;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.benchmarks.Lane;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.testkit.TestGuest;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The machines of Stapes, on its usual pool. */
final class OwnMachines implements AutoCloseable {
  static final int CPUS = 2;
  static final int MEBIBYTES = 512;

  private static final String IMAGE = "guest";

  private final Stapes stapes;
  private final TestGuest guest;
  private final Supplier<String> names;

  private OwnMachines(Stapes stapes, TestGuest guest, Supplier<String> names) {
    this.stapes = stapes;
    this.guest = guest;
    this.names = names;
  }

  /**
   * Opens it, with the guest's image.
   *
   * @param directory does not exist
   */
  static OwnMachines open(TestGuest guest, Path directory, Supplier<String> names) {
    Stapes stapes = Stapes.builder(directory).defaultPool(PoolSpec.of("default", "btrfs")).open();
    try {
      stapes.images().importFrom(ImageSources.split(guest.metadata(), guest.disk()), IMAGE);
      return new OwnMachines(stapes, guest, names);
    } catch (RuntimeException e) {
      stapes.close();
      throw e;
    }
  }

  /** Its lane on a path. */
  Lane lane(VmPath path) {
    return switch (path) {
      case BOOT -> new Boot();
      case SAVED -> new Saved();
    };
  }

  private InstanceSpec spec(boolean stateful) {
    return InstanceSpec.virtualMachine(names.get(), IMAGE)
        .limits(limits -> limits.cpus(CPUS).memory(Size.ofMebibytes(MEBIBYTES)))
        .config("qemu.accelerator", "tcg")
        .config("migration.stateful", Boolean.toString(stateful))
        .config("qemu.kernel", guest.kernel().toString())
        .config("qemu.initrd", guest.initrd().toString())
        .config("qemu.kernel_arguments", guest.kernelArguments())
        .build();
  }

  private class Boot implements Lane {
    private @Nullable Instance machine;

    @Override
    public void before() {
      machine = create();
    }

    Instance create() {
      return stapes.instances().create(spec(false));
    }

    @Override
    public void run() {
      if (machine == null) {
        throw new IllegalStateException("no machine");
      }
      begin(machine);
    }

    final void begin(Instance created) {
      created.start();
      created.exec("true").orThrow();
    }

    @Override
    public void after() {
      if (machine != null) {
        machine.delete(Delete.FORCE);
        machine = null;
      }
    }

    @Override
    public void close() {
      after();
    }
  }

  /** Has booted before, and goes on from there. */
  private final class Saved extends Boot {
    @Override
    Instance create() {
      Instance created = stapes.instances().create(spec(true));
      begin(created);
      created.stop(Stop.STATEFUL);
      return created;
    }
  }

  /** Deletes what is left. */
  @Override
  public void close() {
    try (stapes) {
      for (var info : stapes.instances().list()) {
        stapes.instances().get(info.id()).delete(Delete.FORCE);
      }
    }
  }
}
