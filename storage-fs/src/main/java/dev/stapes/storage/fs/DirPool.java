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
import dev.stapes.model.Size;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A pool of plain directories: a copy is made file by file. */
final class DirPool implements StoragePool {
  /** On the root directory of a volume that refuses changes; no container sees or sets it. */
  private static final String READ_ONLY = "trusted.stapes.read-only";

  private final PoolContext pool;
  private final PlainRoot root;
  private final PoolDirectory volumes;
  private final Views views;
  private final ScratchVolumes scratch;
  private final Ids ids;
  private final Gate gate;

  DirPool(PoolContext pool, PlainRoot root, PoolDirectory volumes) {
    this.pool = pool;
    this.root = root;
    this.volumes = volumes;
    this.views = new Views(pool);
    this.scratch = new ScratchVolumes(pool, views);
    this.ids = new Ids(pool, volumes, scratch);
    this.gate = new Gate(pool.subject());
  }

  @Override
  public PoolInfo info() {
    return gate.pass(
        "usage", () -> volumes.info(pool.spec(), DirProvider.NAME, PoolInfo.Copies.PER_FILE));
  }

  @Override
  public void create(VolumeId id) {
    gate.pass("create " + id, () -> publish(id, name -> {}));
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    gate.pass(
        "copy " + source + " to " + target,
        () -> {
          ids.requireForCopy(source, target);
          if (scratch.copy(source, target, readOnly)) {
            return;
          }
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
        });
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
  public void discard(VolumeId id) {
    gate.pass(
        "discard " + id,
        () -> {
          if (!scratch.discard(id)) {
            scratch.release(path(id), id);
            try {
              volumes.throwAway(id);
            } catch (LinuxException e) {
              if (!e.is(Errno.ENOENT)) {
                throw e;
              }
            }
          }
        });
  }

  @Override
  public void reclaim() {
    gate.passInTurn("reclaim", () -> volumes.reclaim(this::removeAll));
  }

  private void removeAll(Fd directory, String name) {
    try (FileTree tree =
        FileTree.over(pool.sys(), directory.duplicate(), FileTree.Resolution.BENEATH)) {
      tree.removeAll(name);
    }
  }

  @Override
  public boolean exists(VolumeId id) {
    return gate.pass("look for " + id, () -> ids.exists(id));
  }

  @Override
  public Set<VolumeId> list() {
    return gate.pass("list", ids::all);
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return gate.pass(
        "open " + id,
        () -> {
          Optional<Tree> inMemory = scratch.tree(id, resolution);
          return inMemory.isPresent() ? inMemory.get() : openTree(id, resolution);
        });
  }

  /** A tree keeps the mount that it was opened through, also when that is unmounted. */
  private Tree openTree(VolumeId id, Tree.Resolution resolution) {
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
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          Optional<Attachment> inMemory = scratch.attach(id, mapping, readOnly);
          if (inMemory.isPresent()) {
            return inMemory.get();
          }
          if (!isReadOnly(id) && !readOnly) {
            return new PathAttachment(path(id), Optional.empty(), () -> {});
          }
          Path view = views.readOnly(path(id));
          return new PathAttachment(view, Optional.empty(), () -> views.dropIfThere(view));
        });
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

  private Path path(VolumeId id) {
    return root.path().resolve(id.kind().directory()).resolve(id.name());
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
  public Optional<SendReceive> sendReceive() {
    return Optional.empty();
  }

  @Override
  public Optional<Growable> growable() {
    return Optional.empty();
  }

  @Override
  public Optional<Scratch> scratch() {
    return Optional.of(this::createScratch);
  }

  private void createScratch(VolumeId source, VolumeId target, Optional<Size> limit) {
    gate.pass(
        "create " + target + " over " + source,
        () -> {
          ids.requireForCopy(source, target);
          if (!scratch.copy(source, target, false)) {
            scratch.create(new LayerBase(path(source), List.of(Path.of(""))), target, limit);
          }
        });
  }

  @Override
  public void destroy() {
    gate.close(
        "destroy",
        () -> {
          views.remove();
          volumes.dismantle();
          root.removeOwn();
        });
  }

  @Override
  public void close() {
    gate.close("close", views::close);
  }
}
