package dev.stapes.internal.image;

import dev.stapes.model.Config;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** Volumes in memory. */
final class FakePool implements StoragePool {
  final Map<VolumeId, MemoryTree> volumes = new ConcurrentHashMap<>();
  final AtomicInteger created = new AtomicInteger();
  final AtomicInteger copied = new AtomicInteger();
  PoolInfo.Copies copies = PoolInfo.Copies.INSTANT;
  Runnable onTree = () -> {};
  Runnable onDiscard = () -> {};

  @Override
  public PoolInfo info() {
    return new PoolInfo("p", "fake", Config.empty(), Size.ofBytes(1), Size.ofBytes(0), copies);
  }

  @Override
  public void create(VolumeId id) {
    if (volumes.putIfAbsent(id, new MemoryTree()) != null) {
      throw new StapesException(StapesException.Kind.CONFLICT, id.toString(), "exists");
    }
    created.incrementAndGet();
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    volumes.put(target, Objects.requireNonNull(volumes.get(source)).copy());
    copied.incrementAndGet();
  }

  @Override
  public void discard(VolumeId id) {
    onDiscard.run();
    volumes.remove(id);
  }

  @Override
  public void reclaim() {}

  @Override
  public boolean exists(VolumeId id) {
    return volumes.containsKey(id);
  }

  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    return volumes.keySet().stream().filter(id -> id.kind() == kind).collect(Collectors.toSet());
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    onTree.run();
    return files(id);
  }

  /** The files of a volume, without further ado. */
  MemoryTree files(VolumeId id) {
    MemoryTree tree = volumes.get(id);
    if (tree == null) {
      throw StapesException.notFound(id.toString());
    }
    return tree;
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return new Attachment() {
      @Override
      public Path path() {
        return Path.of("/pool").resolve(id.toString());
      }

      @Override
      public Optional<IdMapping> mapped() {
        return Optional.empty();
      }

      @Override
      public void close() {}
    };
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
  public Optional<Scratch> scratch() {
    return Optional.empty();
  }

  @Override
  public void destroy() {
    volumes.clear();
  }

  @Override
  public void close() {}
}
