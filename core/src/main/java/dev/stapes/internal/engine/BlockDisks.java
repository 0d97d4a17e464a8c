package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Attaches custom volumes that are disks, and knows who has them: one machine at a time has a block
 * volume, but where it is shared. Two that do not know of each other would destroy its files.
 */
final class BlockDisks {
  private final Catalog catalog;

  /** By the id of a volume; a machine is in it as often as it has the volume. */
  private final Map<String, List<InstanceId>> holders = new HashMap<>();

  BlockDisks(Catalog catalog) {
    this.catalog = catalog;
  }

  /**
   * Attaches one.
   *
   * @param pool of the volume
   * @throws StapesException BUSY where another machine has it, naming that
   */
  Machine.Disk attach(
      StoragePool pool,
      VolumeRecord volume,
      InstanceRecord user,
      Device.Disk disk,
      java.util.function.Consumer<StoragePool.Attachment> keep) {
    boolean iso = volume.contentType() == VolumeContent.ISO;
    boolean readOnly = iso || disk.readOnly();
    hold(volume, user.instanceId());
    Held held = null;
    try {
      held = new Held(volume.id(), user.instanceId(), Optional.of(open(pool, volume, readOnly)));
    } finally {
      if (held == null) {
        release(volume.id(), user.instanceId());
      }
    }
    keep.accept(held);
    Machine.Disk attached =
        new Machine.Disk(
            held.path(), Optional.empty(), disk.limits(), disk.bootPriority(), disk.io());
    return iso
        ? attached.as(Machine.Disk.Form.CDROM)
        : attached.as(volume.isShared() ? Machine.Disk.Form.SHARED : Machine.Disk.Form.USUAL);
  }

  private static StoragePool.Attachment open(
      StoragePool pool, VolumeRecord volume, boolean readOnly) {
    if (VolumeContents.isDevice(pool, volume.volumeId())) {
      return pool.blockVolumes().orElseThrow().attach(volume.volumeId(), readOnly);
    }
    StoragePool.Attachment files = pool.attach(volume.volumeId(), Optional.empty(), readOnly);
    Path image = files.path().resolve(Machine.Disk.IMAGE);
    return StoragePool.Attachment.of(image, Optional.empty(), files::close);
  }

  /**
   * Keeps others from what a device names: a machine has it, or may have, although it cannot be
   * attached, or is not in its record.
   *
   * @return what ends that; empty where the device is no block volume
   */
  Optional<StoragePool.Attachment> keep(InstanceId user, Device device) {
    return VolumeUse.of(List.of(device))
        .flatMap(use -> catalog.volume(use.pool(), use.volume()).stream())
        .filter(volume -> volume.contentType() == VolumeContent.BLOCK)
        .findFirst()
        .map(
            volume -> {
              add(volume.id(), user);
              return new Held(volume.id(), user, Optional.empty());
            });
  }

  /** Who has a volume, whatever the records say. */
  synchronized Set<InstanceId> holders(String volume) {
    return new HashSet<>(holders.getOrDefault(volume, List.of()));
  }

  private synchronized void add(String volume, InstanceId user) {
    holders.computeIfAbsent(volume, id -> new ArrayList<>()).add(user);
  }

  private synchronized void hold(VolumeRecord volume, InstanceId user) {
    if (volume.contentType() == VolumeContent.BLOCK && !volume.isShared()) {
      for (InstanceId other : holders.getOrDefault(volume.id(), List.of())) {
        if (!other.equals(user)) {
          throw new StapesException(
              Kind.BUSY,
              volume.subject(),
              "in use by "
                  + nameOf(other)
                  + ": one machine can have it unless security.shared is"
                  + " true");
        }
      }
    }
    add(volume.id(), user);
  }

  private String nameOf(InstanceId id) {
    return catalog.instance(id).map(stored -> stored.value().subject()).orElse("instance " + id);
  }

  private synchronized void release(String volume, InstanceId user) {
    List<InstanceId> left = holders.getOrDefault(volume, new ArrayList<>());
    left.remove(user);
    if (left.isEmpty()) {
      holders.remove(volume);
    }
  }

  /** A disk in use: the device, or the file in an attached volume, where it could be attached. */
  private final class Held implements StoragePool.Attachment {
    private final String volume;
    private final InstanceId user;
    private final Optional<StoragePool.Attachment> attachment;
    private final AtomicBoolean closed = new AtomicBoolean();

    Held(String volume, InstanceId user, Optional<StoragePool.Attachment> attachment) {
      this.volume = volume;
      this.user = user;
      this.attachment = attachment;
    }

    @Override
    public Path path() {
      return attachment.orElseThrow().path();
    }

    @Override
    public Optional<IdMapping> mapped() {
      return Optional.empty();
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        try {
          attachment.ifPresent(StoragePool.Attachment::close);
        } finally {
          release(volume, user);
        }
      }
    }
  }
}
