package dev.stapes.storage.fs;

import dev.stapes.linux.KernelVersion;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.util.List;
import java.util.function.Supplier;

/**
 * The driver {@code overlay}: volumes are layers on whatever file system there is, and a copy
 * shares the layers of its source.
 */
public final class OverlayProvider extends FileProvider {
  static final String NAME = "overlay";

  /** A provider for this machine. */
  public OverlayProvider() {
    this(Syscalls::system);
  }

  /** A provider over other system calls. */
  OverlayProvider(Supplier<Syscalls> sys) {
    super(NAME, List.of(PoolKeys.DIRECTORY_SOURCE), sys);
  }

  @Override
  Availability probeKernel(Host host) {
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
  StoragePool create(PoolContext pool) {
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
                Undo.after(e, made::close);
                throw e;
              }
            });
  }

  @Override
  StoragePool open(PoolContext pool) {
    return open(pool, PlainRoot.of(pool));
  }

  private OverlayPool open(PoolContext pool, PlainRoot root) {
    return new OverlayPool(pool, root, volumes(pool, root.path()));
  }
}
