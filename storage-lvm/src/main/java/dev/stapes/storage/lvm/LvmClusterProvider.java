package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The driver {@code lvmcluster}: plain volumes with ext4, XFS or Btrfs, or block devices, in a
 * volume group that several machines have over disks that they share. The machine's lvmlockd and
 * sanlock see to it that one machine alone has a volume active, see lvmlockd(8); nothing of them is
 * started here.
 *
 * <p>A pool that another machine made in the group is the same pool, with the same space: who makes
 * it comes in, and who removes it leaves, with the volumes that it has; the last one removes the
 * pool. A volume is of the machine that made it, and the others do not see it: they neither list
 * nor remove it, and may have one of the same name. What a machine has that is lost for good stays
 * until another one says {@link #takeOver}, or somebody removes it with LVM's commands.
 */
public final class LvmClusterProvider implements StorageDriverProvider {
  static final String NAME = "lvmcluster";

  private final Supplier<Syscalls> sys;
  private final Path root;
  private final Function<Syscalls, DeviceContents> contents;

  /** A provider for this machine. */
  public LvmClusterProvider() {
    this(Syscalls::system, LvmProvider.ROOT, BlockCopies::new);
  }

  /**
   * A provider over other system calls.
   *
   * @param root where the machine's {@code /sys} and {@code /lib/modules} are looked for
   * @param contents of devices, by system calls
   */
  LvmClusterProvider(
      Supplier<Syscalls> sys, Path root, Function<Syscalls, DeviceContents> contents) {
    this.sys = sys;
    this.root = root;
    this.contents = contents;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return LvmKeys.SHARED;
  }

  @Override
  public Availability probe(Host host) {
    Availability installed =
        LvmProvider.installed(
            host,
            List.of(
                Map.entry("lvm", "lvm2"),
                Map.entry("lvmlockctl", "lvm2-lockd"),
                Map.entry("sanlock", "sanlock"),
                Map.entry("mkfs.ext4", "e2fsprogs")));
    if (!installed.equals(Availability.available())) {
      return installed;
    }
    if (!ThinKernel.hasSnapshots(root, host.facts().kernel())) {
      return Availability.unavailable(
          PoolContext.NO_SNAPSHOTS, "use a kernel with CONFIG_DM_SNAPSHOT");
    }
    Availability version = LvmProvider.version(host);
    return version.equals(Availability.available()) ? daemons(host) : version;
  }

  private static Availability daemons(Host host) {
    try {
      host.programs().run(Command.of("lvmlockctl", "--info"));
    } catch (StapesException e) {
      return Availability.unavailable(
          "lvmlockd does not run: " + e.getMessage(),
          "give the machine a number of its own (host_id in lvmlocal.conf), and start sanlock and"
              + " lvmlockd");
    }
    try {
      host.programs().run(Command.of("sanlock", "client", "status"));
    } catch (StapesException e) {
      return Availability.unavailable("sanlock does not run: " + e.getMessage(), "start sanlock");
    }
    return Availability.available();
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    LvmProvider.requireFormat(pool);
    pool.requireSnapshots();
    String owner = LvmNames.fresh();
    SharedBacking backing = backing(pool, owner);
    return DriverErrors.naming(
        pool.subject(), "cannot be made", () -> create(pool, backing, owner));
  }

  private static StoragePool create(PoolContext pool, SharedBacking backing, String owner) {
    backing.requireFree();
    PoolMark file = new PoolMark(pool);
    String mark = backing.markThere().orElseGet(LvmNames::fresh);
    try {
      file.write(mark, owner);
      PoolVolumes volumes = backing.create(mark);
      return new LvmPool(pool, backing, volumes.content(), file::delete);
    } catch (RuntimeException e) {
      Undo.after(e, () -> sweep(backing, file));
      throw e;
    }
  }

  /** By what the mark says now: another machine that makes the pool at once may change it. */
  private static void sweep(SharedBacking backing, PoolMark file) {
    file.find().ifPresent(backing::sweep);
    file.delete();
  }

  /** A pool that this machine has made, as the mark in its directory says. */
  private record Made(PoolContext pool, PoolMark file, String mark, SharedBacking backing) {
    PoolContent content() {
      return backing.require(mark);
    }
  }

  private Made made(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    PoolMark file = new PoolMark(pool);
    return new Made(pool, file, file.read(), backing(pool, file.owner()));
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    Made made = made(host, spec, directory);
    return DriverErrors.naming(
        made.pool().subject(),
        "cannot be opened",
        () -> {
          PoolContent content = made.content();
          made.file().requireOriginal(made.mark(), content);
          return new LvmPool(made.pool(), made.backing(), content, made.file()::delete);
        });
  }

  /**
   * Those that have something in a pool beside this machine: volumes, or what they have not removed
   * yet.
   *
   * @param owner names a directory of the pool, for {@link #takeOver}
   * @param place the machine's number and the directory, as text; empty: no machine says that it
   *     has it, as one that was made anew does not
   * @param volumes copied
   */
  public record Other(String owner, Optional<String> place, Set<VolumeId> volumes) {
    /** Copies. */
    public Other {
      volumes = Set.copyOf(volumes);
    }
  }

  /**
   * What others have in a pool that this machine has, whether they are there or not.
   *
   * @param host of this machine
   * @param spec that the pool was made with
   * @param directory of the pool on this machine, where it may be open
   * @throws StapesException UNAVAILABLE where the directory has no pool, or that of another
   *     machine, or the locks of its group are not started
   */
  public List<Other> others(Host host, PoolSpec spec, Path directory) {
    Made made = made(host, spec, directory);
    return DriverErrors.naming(
        made.pool().subject(),
        "cannot be read",
        () -> new Takeover(made.content().pool()).others());
  }

  /**
   * Takes a volume over from another machine, for good: one that is lost, or that has said that it
   * does not need it any more, as it does not find it from then on. Nothing does this by itself.
   *
   * <p>It takes the place of a volume of this machine, which is trash then, if there is one of the
   * id. An engine removes volumes of which it has no record: so with one make an instance or a
   * volume first, of the same kind, and take the other over into the place of that, which nobody
   * uses meanwhile.
   *
   * <p>One is taken over at a time in this JVM; no other one of this machine is to do so meanwhile.
   *
   * @param host of this machine
   * @param spec that the pool was made with
   * @param directory of the pool on this machine, where it may be open
   * @param owner see {@link Other}
   * @param theirs what the volume is called there
   * @param ours what it is to be called here
   * @throws StapesException NOT_FOUND; BUSY where the other machine uses the volume, or died less
   *     than the time ago that its lease needs to end, or this one has it active, as machines have
   *     that outlived its former directory, or uses what is in the place; INVALID where that is of
   *     another kind; UNAVAILABLE as of {@link #others}
   */
  public void takeOver(
      Host host, PoolSpec spec, Path directory, String owner, VolumeId theirs, VolumeId ours) {
    Made made = made(host, spec, directory);
    DriverErrors.naming(
        "volume " + theirs,
        "cannot be taken over",
        () -> {
          new Takeover(made.content().pool()).take(owner, theirs, ours);
          return ours;
        });
  }

  /** The mark is there before anything else is, and goes last. */
  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    PoolContext pool = context(host, spec, directory);
    PoolMark file = new PoolMark(pool);
    Optional<String> mark = DriverErrors.naming(pool.subject(), "cannot be removed", file::find);
    if (mark.isPresent()) {
      DriverErrors.naming(
          pool.subject(),
          "cannot be removed",
          () -> {
            sweep(backing(pool, file.owner()), file);
            new VolumeMounts(pool, volume -> {}, name -> {}).close();
            return mark;
          });
    }
  }

  private PoolContext context(Host host, PoolSpec spec, Path directory) {
    new ConfigSchema(LvmKeys.SHARED).validate("pool " + spec.name(), spec.config().values());
    Syscalls calls = sys.get();
    return new PoolContext(host, calls, root, spec, directory, contents.apply(calls));
  }

  private static SharedBacking backing(PoolContext pool, String owner) {
    String source =
        pool.get(LvmKeys.SHARED_SOURCE)
            .orElseThrow(
                () ->
                    StapesException.invalid(
                        pool.subject(),
                        "source must name a shared volume group, or a block device"));
    Optional<String> name = pool.get(LvmKeys.GROUP);
    if (source.startsWith("/")) {
      Path path = LvmProvider.device(pool, source);
      String group = LvmNames.group(pool.subject(), name.orElse(pool.spec().name()));
      return new SharedBacking(pool, group, owner, Optional.of(path));
    }
    if (name.isPresent() && !name.get().equals(source)) {
      throw StapesException.invalid(
          pool.subject(),
          "lvm.vg_name is \"" + name.get() + "\", but the source is \"" + source + "\"");
    }
    String group = LvmNames.group(pool.subject(), source);
    return new SharedBacking(pool, group, owner, Optional.empty());
  }
}
