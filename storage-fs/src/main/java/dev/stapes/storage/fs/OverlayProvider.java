package dev.stapes.storage.fs;

import dev.stapes.linux.KernelVersion;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/**
 * The driver {@code overlay}: volumes are layers on whatever file system there is, and a copy
 * shares the layers of its source.
 */
public final class OverlayProvider implements StorageDriverProvider {
  static final String NAME = "overlay";

  private static final List<ConfigKey<?>> KEYS = List.of(PoolKeys.DIRECTORY_SOURCE);

  private final Supplier<Syscalls> sys;

  /** A provider for this machine. */
  public OverlayProvider() {
    this(Syscalls::system);
  }

  /** A provider over other system calls. */
  OverlayProvider(Supplier<Syscalls> sys) {
    this.sys = sys;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability probe(Host host) {
    Availability basics = Probes.rootOnLinux(host);
    if (basics instanceof Availability.Unavailable) {
      return basics;
    }
    String kernel = host.facts().kernel();
    if (!KernelFileSystems.has("overlay", kernel)) {
      return Availability.unavailable(
          "the kernel has no overlayfs", "use a kernel with CONFIG_OVERLAY_FS, or the dir driver");
    }
    return KernelVersion.parse(kernel).isAtLeast(5, 19)
        ? Availability.available()
        : Availability.unavailable(
            "Linux " + kernel + " has no overlayfs over idmapped layers",
            "use Linux 5.19 or newer, or the dir driver");
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return KEYS;
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, KEYS);
    PoolContext pool = new PoolContext(host, sys.get(), spec, directory);
    return PlainRoot.of(pool)
        .create(
            NAME,
            root -> {
              LayerStore.layOut(pool, root.path());
              OverlayPool made = open(pool, root);
              try {
                made.tryOut();
                return made;
              } catch (RuntimeException e) {
                Failures.alsoDo(e, made::close);
                throw e;
              }
            });
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, KEYS);
    PoolContext pool = new PoolContext(host, sys.get(), spec, directory);
    return Failures.naming(
        pool.subject(), "cannot be opened", () -> open(pool, PlainRoot.of(pool)));
  }

  private static OverlayPool open(PoolContext pool, PlainRoot root) {
    PoolDirectory directory =
        PoolDirectory.open(pool.sys(), pool.local(root.path()), root.path(), NAME, pool.subject());
    return new OverlayPool(pool, root, directory);
  }
}
