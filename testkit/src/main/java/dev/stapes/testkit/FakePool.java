package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeStorage.Capability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** An open pool over a fake disk. */
final class FakePool implements StoragePool {
  private final Host host;
  private final FakeHost fake;
  private final FakeStorage storage;
  private final PoolSpec spec;
  private final Path place;
  private final FakeDisk disk;
  private final FakeBlocks blocks;
  private final Map<VolumeId, FakeVolume> scratch = new ConcurrentHashMap<>();
  private final Map<Path, Path> attached = new ConcurrentHashMap<>();
  private final AtomicLong attachments = new AtomicLong();
  private volatile boolean closed;

  FakePool(
      Host host, FakeHost fake, FakeStorage storage, PoolSpec spec, Path place, FakeDisk disk) {
    this.host = host;
    this.fake = fake;
    this.storage = storage;
    this.spec = spec;
    this.place = place;
    this.disk = disk;
    this.blocks = new FakeBlocks(place);
  }

  @Override
  public PoolInfo info() {
    ensureOpen();
    return new PoolInfo(
        spec.name(), storage.name(), spec.config(), disk.total(), disk.used(), copies());
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.INSTANT;
  }

  @Override
  public void create(VolumeId id) {
    ensureOpen();
    add(id, new FakeVolume(FakeVolume.emptyRoot(), UUID.randomUUID(), false, disk::charge));
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    ensureOpen();
    FakeVolume from = find(source);
    requireVacant(target);
    if (!scratch.containsKey(source)) {
      add(target, from.copy(readOnly, disk::charge));
      blocks.copy(source, target);
    } else {
      FakeVolume copy = from.copy(readOnly, bytes -> {});
      copy.limit(from.limit());
      scratch.put(target, copy);
    }
  }

  @Override
  public void discard(VolumeId id) {
    ensureOpen();
    if (scratch.remove(id) == null) {
      disk.discard(id);
      blocks.discard(id);
    }
  }

  @Override
  public void reclaim() {
    ensureOpen();
    disk.reclaim();
  }

  @Override
  public boolean exists(VolumeId id) {
    ensureOpen();
    return scratch.containsKey(id) || disk.find(id).isPresent();
  }

  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    ensureOpen();
    Set<VolumeId> all = disk.ids();
    all.addAll(scratch.keySet());
    all.removeIf(id -> id.kind() != kind);
    return all;
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    requireFiles(id);
    return new FakeTree(
        new FakeTree.View(find(id), resolution, Optional.empty(), Optional.empty(), false));
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    requireFiles(id);
    FakeVolume volume = find(id);
    Optional<IdMapping> mapped = storage.can(Capability.MAPS_OWNERS) ? mapping : Optional.empty();
    String name = id.name() + "-" + attachments.incrementAndGet();
    Path files = Path.of("/fake-disk").resolve(spec.name()).resolve(name);
    Path path = place.resolve(name);
    fake.table().expose(volume, files, storage.name(), mapped, readOnly);
    attached.put(path, files);
    try {
      Files.createDirectory(path);
      host.mounts().bind(files, path, readOnly ? Set.of(Mounts.Flag.READ_ONLY) : Set.of());
    } catch (IOException e) {
      detach(path);
      throw new StapesException(INTERNAL, "volume " + id, "cannot be attached at " + path, e);
    } catch (StapesException e) {
      detach(path);
      throw e;
    }
    return new Attached(path, mapped);
  }

  @Override
  public Optional<Quotas> quotas() {
    return capability(Capability.QUOTAS, FakeQuotas::new);
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return capability(Capability.SEND_RECEIVE, () -> new FakeStreams(this, disk, blocks));
  }

  @Override
  public Optional<Resumable> resumable() {
    return sendReceive()
        .flatMap(
            streams ->
                capability(Capability.RESUMABLE, () -> new FakeResumable(this, disk, blocks)));
  }

  private void requireFiles(VolumeId id) {
    ensureOpen();
    if (blocks.size(id).isPresent()) {
      throw new StapesException(INVALID, "volume " + id, "is a block device");
    }
  }

  @Override
  public Optional<BlockVolumes> blockVolumes() {
    return capability(Capability.BLOCK_VOLUMES, FakeBlockVolumes::new);
  }

  @Override
  public Optional<Growable> growable() {
    return capability(
        Capability.GROWABLE,
        () ->
            size -> {
              ensureOpen();
              disk.grow(size);
            });
  }

  @Override
  public Optional<Scratch> scratch() {
    return capability(Capability.SCRATCH, () -> this::createScratch);
  }

  private void createScratch(VolumeId source, VolumeId target, Optional<Size> limit) {
    ensureOpen();
    FakeVolume from = find(source);
    requireVacant(target);
    Size most = limit.orElse(Size.ofBytes(host.facts().memory().bytes() / 2));
    FakeVolume copy = from.copy(false, bytes -> {});
    copy.limit(Optional.of(Size.ofBytes(from.used() + most.bytes())));
    scratch.put(target, copy);
  }

  private <T> Optional<T> capability(Capability capability, Supplier<T> maker) {
    return storage.can(capability) ? Optional.of(maker.get()) : Optional.empty();
  }

  @Override
  public void destroy() {
    ensureOpen();
    close();
    storage.destroy(spec, place);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      List.copyOf(attached.keySet()).forEach(this::detach);
      scratch.clear();
    }
  }

  private void detach(Path path) {
    Path files = attached.get(path);
    if (files == null) {
      return;
    }
    if (!host.mounts().below(path).isEmpty()) {
      host.mounts().unmount(path);
    }
    fake.table().hide(files);
    try {
      Files.deleteIfExists(path);
      attached.remove(path);
    } catch (IOException e) {
      throw new StapesException(INTERNAL, "attachment " + path, "cannot be removed", e);
    }
  }

  FakeVolume find(VolumeId id) {
    FakeVolume inMemory = scratch.get(id);
    return inMemory != null
        ? inMemory
        : disk.find(id).orElseThrow(() -> StapesException.notFound("volume " + id));
  }

  void requireVacant(VolumeId id) {
    disk.requireVacant(id);
    if (scratch.containsKey(id)) {
      throw new StapesException(CONFLICT, "volume " + id, "exists");
    }
  }

  void add(VolumeId id, FakeVolume volume) {
    try {
      requireVacant(id);
      disk.add(id, volume);
    } catch (StapesException e) {
      disk.charge(-volume.used());
      throw e;
    }
  }

  void ensureOpen() {
    if (closed) {
      throw new StapesException(UNAVAILABLE, "pool " + spec.name(), "closed");
    }
  }

  private final class Attached implements Attachment {
    private final Path path;
    private final Optional<IdMapping> mapped;

    Attached(Path path, Optional<IdMapping> mapped) {
      this.path = path;
      this.mapped = mapped;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public Optional<IdMapping> mapped() {
      return mapped;
    }

    @Override
    public void close() {
      detach(path);
    }
  }

  private final class FakeBlockVolumes implements BlockVolumes {
    @Override
    public void create(VolumeId id, Size size) {
      FakePool.this.create(id);
      blocks.resize(id, size);
    }

    @Override
    public Optional<Size> size(VolumeId id) {
      ensureOpen();
      find(id);
      return blocks.size(id);
    }

    @Override
    public void grow(VolumeId id, Size size) {
      Size has = size(id).orElseThrow(() -> StapesException.invalid("volume " + id, "no device"));
      if (size.compareTo(has) < 0) {
        throw StapesException.invalid("volume " + id, "has " + has + ", more than " + size);
      }
      blocks.resize(id, size);
    }

    @Override
    public Attachment attach(VolumeId id, boolean readOnly) {
      if (size(id).isEmpty()) {
        throw StapesException.invalid("volume " + id, "no device");
      }
      return Attachment.of(blocks.file(id), Optional.empty(), () -> {}); // its path stays
    }
  }

  private final class FakeQuotas implements Quotas {
    @Override
    public void limit(VolumeId id, Optional<Size> size) {
      ensureOpen();
      find(id).limit(size);
    }

    @Override
    public Size usage(VolumeId id) {
      ensureOpen();
      return Size.ofBytes(find(id).used());
    }
  }
}
