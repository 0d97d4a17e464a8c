package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The driver {@code lvmcluster}: plain volumes with ext4, XFS or Btrfs, or block devices, in a
 * volume group that several machines have over disks that they share. The machine's lvmlockd and
 * sanlock see to it that one machine alone has a volume active, see lvmlockd(8); nothing of them is
 * started here. A pool that another machine made in the group is the same pool: who makes it comes
 * in, and who removes it leaves; the last one removes its volumes.
 *
 * <p>It is for programs that use the SPI themselves and keep one store for all machines. The
 * service loader does not find it, as an engine knows one machine alone.
 */
public final class LvmClusterProvider implements StorageDriverProvider {
  static final String NAME = "lvmcluster";

  private final Supplier<Syscalls> sys;
  private final Function<Syscalls, DeviceContents> contents;

  /** A provider for this machine. */
  public LvmClusterProvider() {
    this(Syscalls::system, BlockCopies::new);
  }

  /**
   * A provider over other system calls.
   *
   * @param contents of devices, by system calls
   */
  LvmClusterProvider(Supplier<Syscalls> sys, Function<Syscalls, DeviceContents> contents) {
    this.sys = sys;
    this.contents = contents;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public boolean isShared() {
    return true;
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
    SharedBacking backing = backing(pool);
    return DriverErrors.naming(pool.subject(), "cannot be made", () -> create(pool, backing));
  }

  private static StoragePool create(PoolContext pool, SharedBacking backing) {
    backing.requireFree();
    PoolMark file = new PoolMark(pool);
    String mark = backing.markThere().orElseGet(LvmNames::fresh);
    try {
      file.write(mark);
      PoolVolumes volumes = backing.create(mark);
      return new LvmPool(pool, backing, volumes.content(), file::delete);
    } catch (RuntimeException e) {
      Undo.after(e, () -> sweep(backing, file, mark));
      throw e;
    }
  }

  private static void sweep(SharedBacking backing, PoolMark file, String mark) {
    backing.sweep(mark);
    file.delete();
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    PoolMark file = new PoolMark(pool);
    String mark = file.read();
    SharedBacking backing = backing(pool);
    return DriverErrors.naming(
        pool.subject(),
        "cannot be opened",
        () -> {
          PoolContent content =
              backing
                  .find(mark)
                  .orElseThrow(
                      () ->
                          pool.failure(
                              Kind.UNAVAILABLE,
                              "it is gone: no logical volume with the tag "
                                  + VolumeTags.pool(mark)));
          file.requireOriginal(mark, content);
          return new LvmPool(pool, backing, content, file::delete);
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
            sweep(backing(pool), file, mark.get());
            new VolumeMounts(pool, volume -> {}, name -> {}).close();
            return mark;
          });
    }
  }

  private PoolContext context(Host host, PoolSpec spec, Path directory) {
    new ConfigSchema(LvmKeys.SHARED).validate("pool " + spec.name(), spec.config().values());
    Syscalls calls = sys.get();
    return new PoolContext(host, calls, spec, directory, contents.apply(calls));
  }

  private static SharedBacking backing(PoolContext pool) {
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
      return new SharedBacking(pool, group, Optional.of(path));
    }
    if (name.isPresent() && !name.get().equals(source)) {
      throw StapesException.invalid(
          pool.subject(),
          "lvm.vg_name is \"" + name.get() + "\", but the source is \"" + source + "\"");
    }
    return new SharedBacking(pool, LvmNames.group(pool.subject(), source), Optional.empty());
  }
}
