package dev.stapes.storage.fs;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What all pools of this module do alike: every call passes the gate, and a volume in memory goes
 * before one on disk. A driver fills in what happens on disk.
 */
abstract class FilePool implements StoragePool {
  final PoolContext pool;
  final PoolDirectory volumes;
  final Views views;
  final ScratchVolumes scratch;
  final Ids ids;
  final Gate gate;
  final SourceMark source;
  private final Path root;

  FilePool(PoolContext pool, Path root, PoolDirectory volumes) {
    this.pool = pool;
    this.root = root;
    this.volumes = volumes;
    this.views = new Views(pool);
    this.scratch = new ScratchVolumes(pool, views);
    this.ids = new Ids(pool, volumes, scratch);
    this.gate = new Gate(pool.subject(), Failures::naming);
    this.source = new SourceMark(pool);
  }

  abstract void copyOnDisk(VolumeId source, VolumeId target, boolean readOnly);

  abstract void discardOnDisk(VolumeId id);

  abstract Tree openOnDisk(VolumeId id, Tree.Resolution resolution);

  abstract Attachment attachOnDisk(VolumeId id, Optional<IdMapping> mapping, boolean readOnly);

  /** What a volume in memory lies over. */
  abstract LayerBase base(VolumeId source);

  /** Work that gives a volume a name. */
  void naming(String wanted, Runnable work) {
    gate.pass(wanted, work);
  }

  /** Where a volume is, with nothing in between. */
  final Path path(VolumeId id) {
    return root.resolve(id.kind().directory()).resolve(id.name());
  }

  /** A whole volume as the only layer below one in memory. */
  final LayerBase whole(VolumeId source) {
    return new LayerBase(path(source), List.of(Path.of("")));
  }

  /** A directory of this pool, attached through a view where it must not be written to. */
  final Attachment attachPath(VolumeId id, boolean readOnly) {
    if (!readOnly) {
      return Attachment.of(path(id), Optional.empty(), () -> {});
    }
    Path view = views.readOnly(path(id));
    return Attachment.of(view, Optional.empty(), () -> views.dropIfThere(view));
  }

  @Override
  public final void copy(VolumeId source, VolumeId target, boolean readOnly) {
    naming(
        "copy " + source + " to " + target,
        () -> {
          ids.requireForCopy(source, target);
          if (!scratch.copy(source, target, readOnly)) {
            copyOnDisk(source, target, readOnly);
          }
        });
  }

  @Override
  public final void discard(VolumeId id) {
    gate.pass(
        "discard " + id,
        () -> {
          if (!scratch.discard(id)) {
            discardOnDisk(id);
          }
        });
  }

  @Override
  public final boolean exists(VolumeId id) {
    return gate.pass("look for " + id, () -> ids.exists(id));
  }

  @Override
  public final Set<VolumeId> list(VolumeId.Kind kind) {
    return gate.pass("list", () -> ids.all(kind));
  }

  @Override
  public final Tree tree(VolumeId id, Tree.Resolution resolution) {
    return gate.pass(
        "open " + id,
        () -> {
          Optional<Tree> inMemory = scratch.tree(id, resolution);
          return inMemory.isPresent() ? inMemory.get() : openOnDisk(id, resolution);
        });
  }

  @Override
  public final Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          Optional<Attachment> inMemory = scratch.attach(id, mapping, readOnly);
          return inMemory.isPresent() ? inMemory.get() : attachOnDisk(id, mapping, readOnly);
        });
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
    return Optional.empty();
  }

  @Override
  public final Optional<Scratch> scratch() {
    return Optional.of(
        new Scratch() {
          @Override
          public void create(VolumeId source, VolumeId target, Optional<Size> limit) {
            createScratch(source, target, limit);
          }

          @Override
          public void create(Path fileSystem, VolumeId target, Optional<Size> limit) {
            createScratch(fileSystem, target, limit);
          }
        });
  }

  private void createScratch(Path fileSystem, VolumeId target, Optional<Size> limit) {
    naming(
        "create " + target + " over " + fileSystem,
        () -> {
          ids.requireFree(target);
          scratch.create(fileSystem, target, limit);
        });
  }

  private void createScratch(VolumeId source, VolumeId target, Optional<Size> limit) {
    naming(
        "create " + target + " over " + source,
        () -> {
          ids.requireForCopy(source, target);
          if (!scratch.copy(source, target, false)) {
            scratch.create(base(source), target, limit);
          }
        });
  }
}
