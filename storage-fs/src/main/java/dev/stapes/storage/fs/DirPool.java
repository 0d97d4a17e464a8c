package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.Xattrs;
import dev.stapes.linux.block.ProjectQuota;
import dev.stapes.linux.block.TreeCopy;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Optional;

/** A pool of plain directories: a copy is made file by file. */
final class DirPool extends FilePool {
  /** On the root directory of a volume that refuses changes; no container sees or sets it. */
  private static final String READ_ONLY = "trusted.stapes.read-only";

  private final PlainRoot root;

  DirPool(PoolContext pool, PlainRoot root, PoolDirectory volumes) {
    super(pool, root.path(), volumes);
    this.root = root;
  }

  @Override
  public PoolInfo info() {
    return gate.pass("usage", () -> volumes.info(pool.spec(), DirProvider.NAME, copies()));
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.PER_FILE;
  }

  @Override
  public void create(VolumeId id) {
    gate.pass("create " + id, () -> publish(id, name -> {}));
  }

  @Override
  void copyOnDisk(VolumeId source, VolumeId target, boolean readOnly) {
    try (Fd from = ids.open(source)) {
      publish(
          target,
          made -> {
            copier().run(from, made);
            if (readOnly) {
              Xattrs.of(pool.sys(), made).set(READ_ONLY, new byte[] {'1'});
            }
          });
    }
  }

  private TreeCopy copier() {
    return new TreeCopy(
        pool.sys(), name -> !name.equals(READ_ONLY), () -> Thread.currentThread().isInterrupted());
  }

  /** What fills the directory of a new volume. */
  @FunctionalInterface
  private interface Filling {
    void fill(Fd made);
  }

  private void publish(VolumeId id, Filling filling) {
    ids.publish(
        id,
        name -> {
          try (Fd made = volumes.makeIncoming(name)) {
            filling.fill(made);
          }
        },
        this::removeAll);
  }

  @Override
  void discardOnDisk(VolumeId id) {
    scratch.release(path(id), id);
    try {
      volumes.throwAway(id);
    } catch (LinuxException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }

  @Override
  public void reclaim() {
    gate.passInTurn(
        "reclaim",
        () -> {
          scratch.reclaim();
          volumes.reclaim(this::removeAll);
        });
  }

  private void removeAll(Fd directory, String name) {
    try (FileTree tree =
        FileTree.over(pool.sys(), directory.duplicate(), FileTree.Resolution.BENEATH)) {
      tree.removeAll(name);
    }
  }

  /** A tree keeps the mount that it was opened through, also when that is unmounted. */
  @Override
  Tree openOnDisk(VolumeId id, Tree.Resolution resolution) {
    if (!isReadOnly(id)) {
      return pool.host().tree(pool.local(path(id)), resolution);
    }
    Path view = views.readOnly(path(id));
    try {
      return pool.host().tree(pool.local(view), resolution);
    } finally {
      views.drop(view);
    }
  }

  @Override
  Attachment attachOnDisk(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return attachPath(id, readOnly || isReadOnly(id));
  }

  @Override
  LayerBase base(VolumeId source) {
    return whole(source);
  }

  private boolean isReadOnly(VolumeId id) {
    try (Fd volume = ids.open(id)) {
      return Xattrs.of(pool.sys(), volume).get(READ_ONLY).isPresent();
    } catch (LinuxException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return false; // without attributes nothing was marked
      }
      throw e;
    }
  }

  @Override
  public Optional<Quotas> quotas() {
    return gate.pass(
        "quotas",
        () -> {
          try (Fd open = volumes.openRoot()) {
            return new ProjectQuota(pool.sys()).isOn(open)
                ? Optional.of(new DirQuotas(pool, ids, gate))
                : Optional.empty();
          }
        });
  }

  @Override
  public void destroy() {
    gate.closeAfter(
        "destroy",
        () -> {
          views.remove();
          volumes.dismantle();
          root.removeOwn();
          source.delete();
        });
  }

  @Override
  public void close() {
    gate.close("close", views::close);
  }
}
