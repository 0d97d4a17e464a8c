package dev.stapes.storage.fs;

import dev.stapes.linux.KernelVersion;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * File systems in files that are mounted for volumes to lie over, each once however many do. A few
 * that nobody uses any more are kept: what is launched once is launched again. A mount is all that
 * holds its loop device. The owners of its files can be mapped from Linux 6.2 on.
 */
final class MountedImages {
  private static final int IDLE_KEPT = 4;
  private static final String TYPE = "squashfs";
  private static final Set<Mounts.Flag> FLAGS = Set.of(Mounts.Flag.READ_ONLY, Mounts.Flag.NODEV);

  private final PoolContext pool;
  private final Views views;
  private final MappedMounts lowers;
  private final Map<Path, Mounted> mounts = new LinkedHashMap<>();

  private static final class Mounted {
    final Path root;
    int users;

    Mounted(Path root) {
      this.root = root;
    }
  }

  /**
   * Has mounted nothing.
   *
   * @param lowers what makes other owners of it
   */
  MountedImages(PoolContext pool, Views views, MappedMounts lowers) {
    this.pool = pool;
    this.views = views;
    this.lowers = lowers;
  }

  /** Mounts a file where it is not, and counts one more user. */
  synchronized LayerBase use(Path file) {
    Mounted mounted = mounts.remove(file);
    if (mounted == null) {
      mounted = new Mounted(mount(file));
    }
    mounted.users++;
    mounts.put(file, mounted); // the last one used is the last in order
    return new LayerBase(mounted.root, List.of(Path.of("")));
  }

  private Path mount(Path file) {
    requireKernel();
    try (LoopDevice device = LoopDevice.readOnly(pool.sys(), file)) {
      return views.make(target -> mount(device, file, target));
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT) && Files.exists(file)) {
        throw pool.failure(Kind.UNSUPPORTED, "no loop devices: " + e.getMessage(), e);
      }
      throw e;
    }
  }

  private void mount(LoopDevice device, Path file, Path target) {
    try {
      pool.host().mounts().mount(device.path().toString(), target, TYPE, FLAGS, "");
    } catch (StapesException e) {
      throw refused(file, e);
    }
  }

  private void requireKernel() {
    String kernel = pool.host().facts().kernel();
    if (!KernelFileSystems.has(TYPE, kernel)) {
      throw pool.failure(Kind.UNSUPPORTED, "the kernel has no " + TYPE);
    }
    if (!KernelVersion.parse(kernel).isAtLeast(6, 2)) {
      throw pool.failure(
          Kind.UNSUPPORTED, "Linux " + kernel + " maps no owners of a " + TYPE + ", 6.2 does");
    }
  }

  /** EINVAL: no such file system, or one that this kernel cannot decode; EIO: it is cut off. */
  private static StapesException refused(Path file, StapesException e) {
    boolean bad = e.kind() == Kind.INVALID || e.kind() == Kind.INTERNAL;
    return new StapesException(
        bad ? Kind.INVALID : e.kind(),
        file.toString(),
        "cannot be mounted, it is no "
            + TYPE
            + ", damaged, or compressed in a way that this kernel does not know: "
            + e.getMessage(),
        e);
  }

  /** Counts one more user of what is mounted there, if it is one of these. */
  synchronized void retain(Path root) {
    mounts.values().stream()
        .filter(mounted -> mounted.root.equals(root))
        .forEach(mounted -> mounted.users++);
  }

  /** Counts one user less of what is mounted there, if it is one of these. */
  synchronized void release(Path root) {
    mounts.values().stream()
        .filter(mounted -> mounted.root.equals(root))
        .forEach(mounted -> mounted.users--);
    dropIdle();
  }

  /** Unmounts what nobody uses and nobody can ask for again: its file is gone. */
  synchronized void dropDeleted() {
    mounts.entrySet().stream()
        .filter(each -> each.getValue().users == 0 && !Files.exists(each.getKey()))
        .map(Map.Entry::getValue)
        .toList()
        .forEach(this::drop);
  }

  private void dropIdle() {
    List<Mounted> idle = mounts.values().stream().filter(each -> each.users == 0).toList();
    idle.subList(0, Math.max(0, idle.size() - IDLE_KEPT)).forEach(this::drop);
  }

  private void drop(Mounted mounted) {
    mounts.values().remove(mounted);
    lowers.forget(mounted.root);
    views.dropIfThere(mounted.root);
  }
}
