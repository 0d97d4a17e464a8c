package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The driver {@code lvm}: volumes are thin volumes with ext4, XFS or Btrfs, copies are thin
 * snapshots; or both are plain volumes where {@code lvm.use_thinpool} says so. A pool is in a group
 * of its own, in a loop file (the default) or on a block device, or in a volume group that is there
 * already.
 */
public final class LvmProvider implements StorageDriverProvider {
  static final String NAME = "lvm";

  /** The first with {@code --devices} and {@code --setautoactivation}. */
  private static final LvmVersion LEAST = new LvmVersion(2, 3, 12);

  static final Path ROOT = Path.of("/");

  private final Supplier<Syscalls> sys;
  private final Path root;
  private final Function<Syscalls, DeviceContents> contents;

  /** A provider for this machine. */
  public LvmProvider() {
    this(Syscalls::system, ROOT, BlockCopies::new);
  }

  /**
   * A provider over other system calls.
   *
   * @param root where the machine's {@code /sys} and {@code /lib/modules} are looked for
   * @param contents of devices, by system calls
   */
  LvmProvider(Supplier<Syscalls> sys, Path root, Function<Syscalls, DeviceContents> contents) {
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
    return LvmKeys.ALL;
  }

  @Override
  public Availability probe(Host host) {
    Availability installed =
        installed(
            host,
            List.of(
                Map.entry("lvm", "lvm2"),
                Map.entry("thin_check", "thin-provisioning-tools"),
                Map.entry("mkfs.ext4", "e2fsprogs")));
    if (!installed.equals(Availability.available())) {
      return installed;
    }
    if (!ThinKernel.has(root, host.facts().kernel())) {
      return Availability.unavailable(
          "the kernel has no thin pools of device-mapper",
          "use a kernel with CONFIG_DM_THIN_PROVISIONING, or the btrfs or dir driver");
    }
    return version(host);
  }

  /**
   * Whether the machine has what any pool of LVM needs.
   *
   * @param tools programs, with the packages that they are in, in the order in which they are
   *     missed
   */
  static Availability installed(Host host, List<Map.Entry<String, String>> tools) {
    Optional<String> library = Syscalls.unavailable();
    if (library.isPresent()) {
      return Availability.unavailable(library.get(), "run on Linux with glibc");
    }
    if (!host.facts().root()) {
      return Availability.unavailable("not root", "run as root");
    }
    for (Map.Entry<String, String> tool : tools) {
      if (host.programs().find(tool.getKey()).isEmpty()) {
        return Availability.unavailable(
            tool.getKey() + " not found", "install the package " + tool.getValue());
      }
    }
    return Availability.available();
  }

  static Availability version(Host host) {
    try {
      String text = host.programs().run(Command.of("lvm", "version")).stdout();
      Optional<LvmVersion> version = LvmVersion.of(text);
      return version.isPresent() && version.get().compareTo(LEAST) >= 0
          ? Availability.available()
          : Availability.unavailable(
              "LVM "
                  + version.map(LvmVersion::toString).orElse("of an unknown version")
                  + " is too old",
              "install LVM " + LEAST + " or newer");
    } catch (StapesException e) {
      return Availability.unavailable(
          "lvm does not run: " + e.getMessage(), "see what \"lvm version\" says");
    }
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    requireFormat(pool);
    Backing backing = backing(pool);
    requireNoSizeOfDevice(pool);
    requireOwnKeys(pool);
    if (pool.isPlain()) { // the probe does not know that somebody wants these
      pool.requireSnapshots();
    }
    return DriverErrors.naming(pool.subject(), "cannot be made", () -> create(pool, backing));
  }

  private static StoragePool create(PoolContext pool, Backing backing) {
    backing.requireFree();
    String mark = LvmNames.fresh();
    PoolMark file = new PoolMark(pool);
    try {
      file.write(mark);
      PoolVolumes volumes = backing.create(mark);
      if (!backing.isInDirectory()) {
        file.place(volumes);
      }
      backing.detach(); // the one with the mark is active
      return new LvmPool(pool, backing, PoolContent.none(volumes), file::delete);
    } catch (RuntimeException e) {
      Undo.after(e, () -> sweep(backing, file, mark));
      throw e;
    }
  }

  /** The mark is kept where something is left: it says what. */
  private static void sweep(Backing backing, PoolMark file, String mark) {
    try {
      backing.sweep(mark);
    } finally {
      backing.detach();
    }
    file.delete();
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    PoolMark file = new PoolMark(pool);
    String mark = file.read();
    Backing backing = backing(pool);
    return DriverErrors.naming(
        pool.subject(),
        "cannot be opened",
        () -> {
          try {
            PoolContent content = find(pool, backing.attach(), mark);
            if (!backing.isInDirectory()) {
              file.requireOriginal(mark, content);
            }
            Spaces.requireAsMade(pool, content.pool());
            backing.requireOwn(content.pool());
            content.pool().activate();
            return new LvmPool(pool, backing, content, file::delete);
          } finally {
            backing.detach();
          }
        });
  }

  private static PoolContent find(PoolContext pool, Lvm lvm, String mark) {
    return PoolVolumes.find(lvm, mark)
        .orElseThrow(
            () ->
                pool.failure(
                    Kind.UNAVAILABLE,
                    "it is gone: no logical volume with the tag " + VolumeTags.pool(mark)));
  }

  /** The mark is there before anything else is, and goes last. */
  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    PoolContext pool = context(host, spec, directory);
    PoolMark file = new PoolMark(pool);
    Optional<String> mark = DriverErrors.naming(pool.subject(), "cannot be removed", file::find);
    if (mark.isPresent()) {
      Backing backing = backing(pool);
      DriverErrors.naming(
          pool.subject(),
          "cannot be removed",
          () -> {
            if (!backing.isInDirectory()) {
              PoolVolumes.find(backing.attach(), mark.get())
                  .ifPresent(content -> file.requireOriginal(mark.get(), content));
            }
            sweep(backing, file, mark.get());
            new VolumeMounts(pool, volume -> {}, name -> {}).close();
            return mark;
          });
    }
  }

  private PoolContext context(Host host, PoolSpec spec, Path directory) {
    new ConfigSchema(LvmKeys.ALL).validate("pool " + spec.name(), spec.config().values());
    Syscalls calls = sys.get();
    return new PoolContext(host, calls, root, spec, directory, contents.apply(calls));
  }

  static void requireFormat(PoolContext pool) {
    VolumeFormat format = VolumeFormat.of(pool.get(LvmKeys.FORMAT).orElse("ext4")).orElseThrow();
    if (pool.host().programs().find(format.program()).isEmpty()) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          format.program() + " not found: install the package " + format.artifact());
    }
    Optional<Size> size = pool.get(LvmKeys.VOLUME_SIZE);
    if (size.isPresent() && size.get().compareTo(format.least()) < 0) {
      throw StapesException.invalid(
          pool.subject(),
          "volume.size must be at least "
              + format.least()
              + " for "
              + format.type()
              + ": \""
              + size.get()
              + "\"");
    }
  }

  /** Of a new pool only: one that has grown has its size in its config, whatever it lies on. */
  private static void requireNoSizeOfDevice(PoolContext pool) {
    Optional<String> source = pool.get(LvmKeys.SOURCE).filter(text -> text.startsWith("/"));
    if (source.isPresent() && pool.get(LvmKeys.SIZE).isPresent()) {
      throw StapesException.invalid(
          pool.subject(),
          "size is for a loop file or a volume group, but the source is \"" + source.get() + "\"");
    }
  }

  /** Plain volumes may take all that a group has. */
  private static void requireOwnKeys(PoolContext pool) {
    if (!pool.isPlain()) {
      return;
    }
    for (ConfigKey<?> key : List.of(LvmKeys.MOST, LvmKeys.METADATA_SIZE)) {
      if (pool.get(key).isPresent()) {
        throw StapesException.invalid(
            pool.subject(), key.name() + " is for a thin pool, but lvm.use_thinpool is \"false\"");
      }
    }
    if (pool.get(LvmKeys.SOURCE).isPresent() && pool.get(LvmKeys.SIZE).isPresent()) {
      throw StapesException.invalid(
          pool.subject(),
          "size is for a loop file or a thin pool, but the source is \""
              + pool.get(LvmKeys.SOURCE).get()
              + "\", and lvm.use_thinpool is \"false\"");
    }
  }

  /** What the key {@code source} stands for. */
  private static Backing backing(PoolContext pool) {
    Optional<String> source = pool.get(LvmKeys.SOURCE);
    if (source.isEmpty()) {
      return new LoopBacking(pool);
    }
    if (!source.get().startsWith("/")) {
      return new GroupBacking(pool, LvmNames.group(pool.subject(), source.get()));
    }
    return new DeviceBacking(pool, device(pool, source.get()));
  }

  /** A source that is a path. */
  static Path device(PoolContext pool, String source) {
    Path path = path(pool, source);
    requireNoFiles(pool, path);
    return path;
  }

  private static Path path(PoolContext pool, String source) {
    if (source.indexOf(',') >= 0) {
      throw StapesException.invalid(
          pool.subject(), "LVM takes no path with a comma: \"" + source + "\"");
    }
    try {
      return Path.of(source).normalize();
    } catch (InvalidPathException e) {
      throw pool.failure(Kind.INVALID, "source is no path: \"" + source + "\"", e);
    }
  }

  /** A directory is none of what this driver takes; somebody's files in it say so louder. */
  private static void requireNoFiles(PoolContext pool, Path path) {
    if (Files.isDirectory(path)) {
      try (Stream<Path> files = Files.list(path)) {
        boolean empty = files.findAny().isEmpty();
        throw pool.failure(
            empty ? Kind.INVALID : Kind.CONFLICT,
            "source is a directory, but must be a block device or a volume group: \""
                + path
                + "\"");
      } catch (IOException e) {
        throw pool.failure(Kind.UNAVAILABLE, path + ": cannot be read: " + e.getMessage(), e);
      }
    }
  }
}
