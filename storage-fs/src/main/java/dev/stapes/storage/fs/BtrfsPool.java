package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileSystemInfo;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.btrfs.BtrfsFileSystem;
import dev.stapes.linux.btrfs.Subvolumes;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** A pool on Btrfs: a volume is a subvolume, a copy is a snapshot. */
final class BtrfsPool implements StoragePool {
  private final PoolContext pool;
  private final Backing backing;
  private final Path root;
  private final PoolDirectory volumes;
  private final Subvolumes subvolumes;
  private final BtrfsFileSystem fileSystem;
  private final Views views;
  private final Gate gate;

  BtrfsPool(PoolContext pool, Backing backing, Path root, PoolDirectory volumes) {
    this.pool = pool;
    this.backing = backing;
    this.root = root;
    this.volumes = volumes;
    this.subvolumes = new Subvolumes(pool.sys());
    this.fileSystem = new BtrfsFileSystem(pool.sys());
    this.views = new Views(pool);
    this.gate = new Gate(pool.subject());
  }

  @Override
  public PoolInfo info() {
    return gate.pass(
        "usage",
        () -> {
          FileSystemInfo info = new Kernel(pool.sys()).fileSystem(volumes.root());
          return new PoolInfo(
              pool.spec().name(),
              BtrfsProvider.NAME,
              pool.spec().config(),
              Size.ofBytes(info.size()),
              Size.ofBytes(info.size() - info.free()),
              PoolInfo.Copies.INSTANT);
        });
  }

  @Override
  public void create(VolumeId id) {
    gate.pass("create " + id, () -> makeAndPublish(id, this::makeEmpty));
  }

  private void makeEmpty(String name) {
    subvolumes.create(volumes.incoming(), name);
    volumes.chmodIncoming(name, 0755);
  }

  /** What makes a volume that does not appear before it is whole. */
  @FunctionalInterface
  private interface Maker {
    void make(String name);
  }

  private void makeAndPublish(VolumeId id, Maker maker) {
    requireNone(id);
    String name = volumes.begin();
    try {
      maker.make(name);
      volumes.publish(name, id);
    } catch (RuntimeException e) {
      Failures.alsoDo(e, () -> removeIfThere(volumes.incoming(), name));
      throw conflict(e, id);
    } finally {
      volumes.done(name);
    }
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    gate.pass(
        "copy " + source + " to " + target,
        () -> {
          try (Fd from = openVolume(source)) {
            if (subvolumes.children(from, subvolumes.id(from)).isEmpty()) {
              requireNone(target);
              subvolumes.snapshot(from, volumes.of(target.kind()), target.name(), readOnly);
            } else {
              copyNested(from, target, readOnly);
            }
          } catch (LinuxException e) {
            throw conflict(e, target);
          }
        });
  }

  /**
   * Programs in a machine can make subvolumes too (systemd does): they are copied one by one. A
   * read-only subvolume cannot be moved to its place, so that comes last.
   */
  private void copyNested(Fd from, VolumeId target, boolean readOnly) {
    makeAndPublish(target, name -> subvolumes.copyAll(from, volumes.incoming(), name));
    if (readOnly) {
      try (Fd made = openVolume(target)) {
        subvolumes.readOnlyAll(made);
      } catch (RuntimeException e) {
        Failures.alsoDo(e, () -> remove(target));
        throw e;
      }
    }
  }

  @Override
  public void discard(VolumeId id) {
    gate.pass("discard " + id, () -> remove(id));
  }

  /** A subvolume goes at once; what does not, goes to the trash at once. */
  private void remove(VolumeId id) {
    try {
      subvolumes.destroy(volumes.of(id.kind()), id.name());
    } catch (LinuxException e) {
      if (!e.is(Errno.ENOENT)) {
        throwAway(id, e);
      }
    }
  }

  private void throwAway(VolumeId id, LinuxException reason) {
    try {
      try {
        volumes.throwAway(id);
      } catch (LinuxException e) {
        if (!e.is(Errno.EROFS)) {
          throw e;
        }
        try (Fd volume = volumes.open(id)) {
          subvolumes.readOnly(volume, false);
        }
        volumes.throwAway(id);
      }
    } catch (LinuxException e) {
      reason.addSuppressed(e);
      throw reason;
    }
  }

  @Override
  public void reclaim() {
    gate.pass(
        "reclaim",
        () -> {
          volumes.reclaim(this::removeIfThere);
          try {
            fileSystem.awaitCleaned(volumes.root());
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StapesException(
                Kind.INTERRUPTED, pool.subject(), "reclaim: interrupted; it goes on by itself", e);
          }
        });
  }

  private void removeIfThere(Fd directory, String name) {
    try {
      subvolumes.destroyAll(directory, name);
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT)) {
        return;
      }
      if (!e.is(Errno.EINVAL, Errno.ENOTDIR, Errno.ENOTTY)) {
        throw e;
      }
      // no subvolume
      try (FileTree tree =
          FileTree.over(pool.sys(), directory.duplicate(), FileTree.Resolution.BENEATH)) {
        tree.removeAll(name);
      }
    }
  }

  @Override
  public boolean exists(VolumeId id) {
    return gate.pass("look for " + id, () -> volumes.exists(id));
  }

  @Override
  public Set<VolumeId> list() {
    return gate.pass("list", volumes::list);
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return gate.pass(
        "open " + id,
        () -> {
          requireVolume(id);
          return pool.host().tree(pool.local(path(id)), resolution);
        });
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          requireVolume(id);
          if (!readOnly) {
            return new PathAttachment(path(id), Optional.empty(), () -> {});
          }
          Path view = views.readOnly(path(id));
          return new PathAttachment(view, Optional.empty(), () -> views.drop(view));
        });
  }

  private Path path(VolumeId id) {
    return root.resolve(id.kind().directory()).resolve(id.name());
  }

  private Fd openVolume(VolumeId id) {
    try {
      return volumes.open(id);
    } catch (LinuxException e) {
      throw e.is(Errno.ENOENT) ? notFound(id) : e;
    }
  }

  private void requireVolume(VolumeId id) {
    if (!volumes.exists(id)) {
      throw notFound(id);
    }
  }

  private void requireNone(VolumeId id) {
    if (volumes.exists(id)) {
      throw new StapesException(
          Kind.CONFLICT, "volume " + id, "exists already in " + pool.subject());
    }
  }

  private StapesException notFound(VolumeId id) {
    return new StapesException(Kind.NOT_FOUND, "volume " + id, "not found in " + pool.subject());
  }

  /** Somebody else may have made the target meanwhile. */
  private RuntimeException conflict(RuntimeException e, VolumeId target) {
    if (e instanceof LinuxException linux && linux.is(Errno.EEXIST)) {
      return new StapesException(
          Kind.CONFLICT, "volume " + target, "exists already in " + pool.subject(), e);
    }
    return e;
  }

  @Override
  public Optional<Quotas> quotas() {
    return Optional.empty();
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return Optional.empty();
  }

  @Override
  public Optional<Growable> growable() {
    return backing.resize().map(resize -> size -> grow(resize, size));
  }

  private void grow(Backing.Resize resize, Size size) {
    gate.alone(
        "grow",
        () -> {
          resize.growTo(size);
          fileSystem.fillDevice(volumes.root());
        });
  }

  @Override
  public Optional<Scratch> scratch() {
    return Optional.empty();
  }

  @Override
  public void destroy() {
    gate.close(
        "destroy",
        () -> {
          views.remove();
          for (VolumeId id : volumes.list()) {
            remove(id);
          }
          volumes.reclaim(this::removeIfThere);
          volumes.dismantle();
          volumes.close();
          backing.unmount();
          backing.remove();
        });
  }

  @Override
  public void close() {
    gate.close(
        "close",
        () -> {
          views.close();
          volumes.close();
          backing.unmount();
        });
  }
}
