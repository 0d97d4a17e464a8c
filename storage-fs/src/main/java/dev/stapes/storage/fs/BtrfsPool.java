package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.btrfs.BtrfsFileSystem;
import dev.stapes.linux.btrfs.Subvolumes;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pool on Btrfs: a volume is a subvolume, a copy is a snapshot. */
final class BtrfsPool extends FilePool {
  private static final Logger LOG = LoggerFactory.getLogger(BtrfsPool.class);

  /** How long the space of removed volumes is waited for while none comes back. */
  private static final Duration CLEANING_PATIENCE = Duration.ofSeconds(10);

  private final Backing backing;
  private final Subvolumes subvolumes;
  private final BtrfsFileSystem fileSystem;
  private final BtrfsQuotas quotas;
  private final BtrfsStreams streams;

  BtrfsPool(PoolContext pool, Backing backing, Path root, PoolDirectory volumes) {
    super(pool, root, volumes);
    this.backing = backing;
    this.subvolumes = new Subvolumes(pool.sys());
    this.fileSystem = new BtrfsFileSystem(pool.sys());
    this.quotas = new BtrfsQuotas(pool, ids, gate);
    this.streams = new BtrfsStreams(pool, volumes, ids, gate, this::removeIfThere);
  }

  @Override
  public PoolInfo info() {
    return gate.pass("usage", () -> volumes.info(pool.spec(), BtrfsProvider.NAME, copies()));
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.INSTANT;
  }

  @Override
  public void create(VolumeId id) {
    gate.pass("create " + id, () -> ids.publish(id, this::makeEmpty, this::removeIfThere));
  }

  private void makeEmpty(String name) {
    try (Fd incoming = volumes.openIncoming()) {
      subvolumes.create(incoming, name);
    }
    volumes.chmodIncoming(name, 0755);
  }

  @Override
  void copyOnDisk(VolumeId source, VolumeId target, boolean readOnly) {
    try (Fd from = ids.open(source);
        Fd to = volumes.open(target.kind())) {
      if (subvolumes.children(from, subvolumes.id(from)).isEmpty()) {
        subvolumes.snapshot(from, to, target.name(), readOnly);
      } else {
        copyNested(from, target, readOnly);
      }
    } catch (LinuxException e) {
      throw ids.taken(e, target);
    }
  }

  /**
   * Programs in a machine can make subvolumes too (systemd does): they are copied one by one. A
   * read-only subvolume cannot be moved to its place, so that comes last.
   */
  private void copyNested(Fd from, VolumeId target, boolean readOnly) {
    ids.publish(
        target,
        name -> {
          try (Fd incoming = volumes.openIncoming()) {
            subvolumes.copyAll(from, incoming, name);
          }
        },
        this::removeIfThere);
    if (readOnly) {
      try (Fd made = ids.open(target)) {
        subvolumes.readOnlyAll(made);
      } catch (RuntimeException e) {
        Undo.after(e, () -> remove(target));
        throw e;
      }
    }
  }

  @Override
  void discardOnDisk(VolumeId id) {
    scratch.release(path(id), id);
    remove(id);
  }

  /** A subvolume goes at once; what does not, goes to the trash at once. */
  private void remove(VolumeId id) {
    try (Fd kind = volumes.open(id.kind())) {
      subvolumes.destroy(kind, id.name());
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
    gate.passInTurn(
        "reclaim",
        () -> {
          scratch.reclaim();
          volumes.reclaim(this::removeIfThere);
          try (Fd root = volumes.openRoot()) {
            int left = fileSystem.awaitCleaned(root, CLEANING_PATIENCE);
            if (left > 0) {
              LOG.info("{}: {} removed volumes are still in use", pool.subject(), left);
            }
            quotas.sweep(root);
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
  Tree openOnDisk(VolumeId id, Tree.Resolution resolution) {
    ids.requireOnDisk(id);
    return pool.host().tree(pool.local(path(id)), resolution);
  }

  @Override
  Attachment attachOnDisk(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    ids.requireOnDisk(id);
    return attachPath(id, readOnly);
  }

  @Override
  LayerBase base(VolumeId source) {
    return whole(source);
  }

  @Override
  public Optional<Quotas> quotas() {
    return Optional.of(quotas);
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return Optional.of(streams);
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
          fillDevice();
        });
  }

  /** Uses all that there is below. */
  void fillDevice() {
    try (Fd root = volumes.openRoot()) {
      fileSystem.fillDevice(root);
    }
  }

  @Override
  public void destroy() {
    gate.closeAfter(
        "destroy",
        () -> {
          streams.close();
          views.remove();
          for (VolumeId id : volumes.list()) {
            remove(id);
          }
          volumes.reclaim(this::removeIfThere);
          volumes.dismantle();
          backing.unmount();
          backing.remove();
          source.delete();
        });
  }

  @Override
  public void close() {
    gate.close(
        "close",
        () -> {
          streams.close();
          views.close();
          backing.unmount();
        });
  }
}
