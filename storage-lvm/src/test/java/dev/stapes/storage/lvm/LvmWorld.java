package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** A pool in a group of a fake LVM, with faults to be planned in all that it does. */
final class LvmWorld implements AutoCloseable {
  static final PoolSpec SPEC = PoolSpec.of("test", "lvm").source(FakeLvm.GROUP);

  /** There is nothing on what is not there. */
  static final DeviceContents CONTENTS =
      new DeviceContents() {
        @Override
        public void zero(Path device, long from, Runnable look) {
          look.run();
        }

        @Override
        public void copy(Path from, Path to, Runnable look) {
          look.run();
        }
      };

  private final FakeLvm lvm;
  private final FakeHost machine;
  private final PoolSpec spec;
  private final Path directory;
  private final Host host;
  private final StorageDriverProvider provider;
  private final List<String> zeroed = new CopyOnWriteArrayList<>();
  private StoragePool pool;

  LvmWorld(Path below, PoolSpec spec, Faults faults) {
    this(below, spec, faults, new FakeLvm());
  }

  /** On a machine that may share the group with others. */
  LvmWorld(Path below, PoolSpec spec, Faults faults, FakeLvm lvm) {
    this.spec = spec;
    this.lvm = lvm;
    this.machine = machine(lvm);
    try {
      this.directory = Files.createTempDirectory(below, "pool");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.host = faults.wrap(Host.class, machine);
    this.provider = provider(spec, faults);
    this.pool = provider.create(host, spec, directory);
  }

  private StorageDriverProvider provider(PoolSpec spec, Faults faults) {
    return spec.driver().equals(LvmClusterProvider.NAME)
        ? new LvmClusterProvider(Syscalls::system, kernel(), sys -> contents(faults))
        : provider(contents(faults));
  }

  /** Such as can fail. */
  @SuppressWarnings("unchecked") // a proxy knows the class alone
  private DeviceContents contents(Faults faults) {
    Consumer<String> effect = faults.wrap(Consumer.class, (Consumer<String>) what -> {});
    return new DeviceContents() {
      @Override
      public void zero(Path device, long from, Runnable look) {
        effect.accept("zero " + device);
        zeroed.add(device.getFileName() + " from " + from);
      }

      @Override
      public void copy(Path from, Path to, Runnable look) {
        effect.accept("copy " + from + " " + to);
      }
    };
  }

  /**
   * What a pool does, for a failure of each of its effects.
   *
   * @param below a directory for the directories of pools
   * @param before done to a new one
   */
  static EffectScenario<LvmWorld> scenario(
      Path below, PoolSpec spec, Consumer<StoragePool> before, Consumer<StoragePool> action) {
    return new EffectScenario<>() {
      @Override
      public LvmWorld prepare(Faults faults) {
        LvmWorld made = new LvmWorld(below, spec, faults);
        before.accept(made.pool());
        return made;
      }

      @Override
      public void act(LvmWorld made) {
        action.accept(made.pool());
      }

      @Override
      public Object state(LvmWorld made) {
        return new TreeSet<>(made.pool().list()) + " " + made.lvm().picture();
      }

      @Override
      public void dispose(LvmWorld made) {
        made.close();
      }
    };
  }

  static FakeHost machine(FakeProgram lvm) {
    return machines(lvm).build();
  }

  /** Such as have the programs of the driver. */
  static FakeHost.Builder machines(FakeProgram lvm) {
    FakeHost.Builder builder = FakeHost.builder().program("lvm", lvm);
    if (lvm instanceof FakeLvm shared) {
      builder.program("sanlock", shared.sanlock()).program("lvmlockctl", call -> 0);
    }
    for (String tool :
        List.of("thin_check", "mkfs.ext4", "mkfs.btrfs", "btrfstune", "resize2fs", "e2fsck")) {
      builder.program(tool, call -> 0);
    }
    return builder;
  }

  static LvmProvider provider() {
    return provider(CONTENTS);
  }

  static LvmProvider provider(DeviceContents contents) {
    return new LvmProvider(Syscalls::system, kernel(), sys -> contents);
  }

  /** A machine's directory, whose kernel has what the driver needs. */
  static Path kernel() {
    URL place = Objects.requireNonNull(LvmWorld.class.getResource("machine"));
    return Path.of(URI.create(place.toString()));
  }

  StoragePool pool() {
    return pool;
  }

  FakeLvm lvm() {
    return lvm;
  }

  Path directory() {
    return directory;
  }

  /** What was made zeros, and from where on. */
  List<String> zeroed() {
    return zeroed;
  }

  /** What is mounted for the pool. */
  List<Mounts.Entry> mounted() {
    return machine.mounts().below(directory);
  }

  /** The commands of a program so far. */
  List<String> commands(String program) {
    return machine.commands().stream()
        .map(command -> String.join(" ", command.arguments()))
        .filter(command -> command.startsWith(program))
        .toList();
  }

  int commandCount() {
    return machine.commands().size();
  }

  /** Who has its volumes, as its mark says. */
  String owner() {
    return placement().sharer().orElseThrow().owner();
  }

  /** Where the pool of this machine is, as its directory says. */
  Placement placement() {
    PoolContext context =
        new PoolContext(machine, Syscalls.system(), kernel(), spec, directory, LvmWorld.CONTENTS);
    Sharer sharer = new Sharer(lvm.machine(), new PoolMark(context).owner());
    return new Placement(Optional.of(sharer), PoolMark.absolute(directory));
  }

  /** See {@link LvmClusterProvider#takeOver}. */
  void takeOver(String owner, VolumeId theirs, VolumeId ours) {
    shared().takeOver(host, spec, directory, owner, theirs, ours);
  }

  /** Its volumes, as its machine sees them. */
  PoolVolumes volumes() {
    PoolContext context =
        new PoolContext(machine, Syscalls.system(), kernel(), spec, directory, LvmWorld.CONTENTS);
    PoolMark mark = new PoolMark(context);
    Sharer sharer = new Sharer(lvm.machine(), mark.owner());
    Lvm own = context.lvm(Optional.empty());
    return PoolVolumes.shared(own, FakeLvm.GROUP, SharedBacking.MARK, mark.read(), sharer);
  }

  /** See {@link LvmClusterProvider#others}. */
  List<LvmClusterProvider.Other> others() {
    return shared().others(host, spec, directory);
  }

  private static LvmClusterProvider shared() {
    return new LvmClusterProvider(Syscalls::system, kernel(), sys -> CONTENTS);
  }

  /** A command of LVM that somebody runs on this machine. */
  void lvm(String... command) {
    List<String> all = new ArrayList<>(List.of("lvm"));
    all.addAll(List.of(command));
    String unused = machine.programs().run(Command.of(all.toArray(new String[0]))).stdout();
  }

  void reopen() {
    pool.close();
    pool = provider.open(host, spec, directory);
  }

  /** As another JVM finds it after this one was killed. */
  void crash(Faults faults) {
    faults.count();
    pool = provider.open(host, spec, directory);
  }

  @Override
  public void close() {
    pool.close();
    machine.close();
  }
}
