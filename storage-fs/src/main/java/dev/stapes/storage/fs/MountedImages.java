package dev.stapes.storage.fs;

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
 * holds its loop device.
 */
final class MountedImages {
  private static final int IDLE_KEPT = 4;
  private static final String TYPE = "squashfs";

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
    if (!KernelFileSystems.has(TYPE, pool.host().facts().kernel())) {
      throw pool.failure(Kind.UNSUPPORTED, "the kernel has no " + TYPE);
    }
    try (LoopDevice device = LoopDevice.readOnly(pool.sys(), file)) {
      return views.make(
          target ->
              pool.host()
                  .mounts()
                  .mount(
                      device.path().toString(), target, TYPE, Set.of(Mounts.Flag.READ_ONLY), ""));
    } catch (StapesException e) {
      // EINVAL: no such file system; EIO: one that is cut off
      boolean bad = e.kind() == Kind.INVALID || e.kind() == Kind.INTERNAL;
      throw new StapesException(
          bad ? Kind.INVALID : e.kind(),
          file.toString(),
          "cannot be mounted as " + TYPE + ": " + e.getMessage(),
          e);
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT) && Files.exists(file)) {
        throw pool.failure(Kind.UNSUPPORTED, "no loop devices: " + e.getMessage(), e);
      }
      throw e;
    }
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
    dropIdle(IDLE_KEPT);
  }

  /** Unmounts what nobody uses. */
  synchronized void dropIdle() {
    dropIdle(0);
  }

  private void dropIdle(int kept) {
    List<Mounted> idle = mounts.values().stream().filter(each -> each.users == 0).toList();
    for (Mounted mounted : idle.subList(0, Math.max(0, idle.size() - kept))) {
      mounts.values().remove(mounted);
      lowers.forget(mounted.root);
      views.dropIfThere(mounted.root);
    }
  }
}
