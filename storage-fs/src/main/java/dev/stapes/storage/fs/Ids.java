package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which ids a pool of directories has, on the disk and in memory, and how new ones come. */
final class Ids {
  private final PoolContext pool;
  private final PoolDirectory volumes;
  private final ScratchVolumes scratch;

  Ids(PoolContext pool, PoolDirectory volumes, ScratchVolumes scratch) {
    this.pool = pool;
    this.volumes = volumes;
    this.scratch = scratch;
  }

  boolean exists(VolumeId id) {
    return scratch.find(id).isPresent() || volumes.exists(id);
  }

  Set<VolumeId> all(VolumeId.Kind kind) {
    Set<VolumeId> all = volumes.list(kind);
    scratch.ids().stream().filter(id -> id.kind() == kind).forEach(all::add);
    return all;
  }

  /** Opens the root directory of a volume that is on the disk. */
  Fd open(VolumeId id) {
    try {
      return volumes.open(id);
    } catch (LinuxException e) {
      throw e.is(Errno.ENOENT) ? notFound(id) : e;
    }
  }

  void requireOnDisk(VolumeId id) {
    if (!volumes.exists(id)) {
      throw notFound(id);
    }
  }

  void requireFree(VolumeId id) {
    if (exists(id)) {
      throw conflict(id, null);
    }
  }

  /** The source is there, the target is not: asked in this order. */
  void requireForCopy(VolumeId source, VolumeId target) {
    if (!exists(source)) {
      throw notFound(source);
    }
    requireFree(target);
  }

  StapesException notFound(VolumeId id) {
    return new StapesException(Kind.NOT_FOUND, "volume " + id, "not found in " + pool.subject());
  }

  private StapesException conflict(VolumeId id, @Nullable Throwable cause) {
    return new StapesException(
        Kind.CONFLICT, "volume " + id, "exists already in " + pool.subject(), cause);
  }

  /** What makes a volume under another name. */
  @FunctionalInterface
  interface Maker {
    /** Makes it in the directory for what is being made. */
    void make(String name);
  }

  /**
   * Makes a volume that does not appear before it is whole.
   *
   * @param remover of what was made, where it fails
   */
  void publish(VolumeId id, Maker maker, PoolDirectory.Remover remover) {
    requireFree(id);
    String name = volumes.begin();
    try {
      maker.make(name);
      volumes.publish(name, id);
    } catch (RuntimeException e) {
      Undo.after(e, () -> remove(remover, name));
      throw taken(e, id);
    } finally {
      volumes.done(name);
    }
  }

  /** Gives what was made under a name of {@link PoolDirectory#begin} its id. */
  void publish(VolumeId id, String name) {
    requireFree(id);
    try {
      volumes.publish(name, id);
    } catch (RuntimeException e) {
      throw taken(e, id);
    }
  }

  /** Removes what was made under such a name. */
  void remove(PoolDirectory.Remover remover, String name) {
    try (Fd incoming = volumes.openIncoming()) {
      remover.remove(incoming, name);
    }
  }

  /** Somebody else may have made the target meanwhile. */
  RuntimeException taken(RuntimeException e, VolumeId target) {
    boolean exists = e instanceof LinuxException linux && linux.is(Errno.EEXIST);
    return exists ? conflict(target, e) : e;
  }
}
