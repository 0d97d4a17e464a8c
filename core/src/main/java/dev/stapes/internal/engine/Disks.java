package dev.stapes.internal.engine;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Attaches the volumes of an instance, and makes of its record what a driver starts. */
final class Disks {
  private static final Logger LOG = LoggerFactory.getLogger(Disks.class);

  /** Stands where a root will be, while nothing is attached. */
  private static final Machine.Disk UNATTACHED =
      new Machine.Disk(Path.of("/"), Optional.empty(), Device.IoLimits.NONE);

  /** What the root disk is called among devices, none of which has such a name. */
  private static final String ROOT = "/";

  private final PoolService pools;
  private final Catalog catalog;
  private final Subdirectories subdirectories;
  private final BlockDisks blocks;

  Disks(PoolService pools, Catalog catalog, Subdirectories subdirectories) {
    this.pools = pools;
    this.catalog = catalog;
    this.subdirectories = subdirectories;
    this.blocks = new BlockDisks(catalog);
  }

  /**
   * A machine that has the block volumes of some devices, or may have them, keeps others from them.
   *
   * @return what ends that, by device
   */
  SortedMap<String, StoragePool.Attachment> keep(
      InstanceId machine, SortedMap<String, Device> devices) {
    SortedMap<String, StoragePool.Attachment> kept = new TreeMap<>();
    devices.forEach(
        (name, device) ->
            blocks.keep(machine, device).ifPresent(attachment -> kept.put(name, attachment)));
    return kept;
  }

  /** Who has a volume that is a disk, whatever the records say. */
  Set<InstanceId> holders(VolumeRecord volume) {
    return blocks.holders(volume.id());
  }

  /** Volumes attached for a machine that is about to start. */
  record Attached(Machine.Spec spec, SortedMap<String, StoragePool.Attachment> attachments)
      implements AutoCloseable {
    @Override
    public void close() {
      Resources.closeAll(attachments.values());
    }
  }

  /**
   * What takes the place of some devices of a running machine.
   *
   * @param devices whose place is taken
   * @param disks attached sources of those that are disks; one that is not needed may be missing
   * @param attachments of them
   */
  record Plugged(
      Set<String> devices,
      SortedMap<String, Machine.Disk> disks,
      SortedMap<String, StoragePool.Attachment> attachments) {}

  /** The spec of a record with nothing attached, to be validated. */
  static Machine.Spec unattached(InstanceRecord record) {
    SortedMap<String, Device> devices = withoutRoot(record);
    SortedMap<String, Machine.Disk> disks = new TreeMap<>();
    devices.forEach(
        (name, device) -> {
          if (device instanceof Device.Disk) {
            disks.put(name, UNATTACHED);
          }
        });
    Machine.Disk root =
        new Machine.Disk(
            UNATTACHED.path(),
            Optional.empty(),
            Device.IoLimits.NONE,
            Optional.empty(),
            record.rootDisk().io());
    return spec(record, devices, root, disks);
  }

  /** Attaches root disk and disk devices. Where one fails the others are let go. */
  Attached attach(InstanceRecord record, InstanceDriver driver) {
    SortedMap<String, StoragePool.Attachment> attachments = new TreeMap<>();
    boolean complete = false;
    try {
      Optional<IdMapping> mapping = driver.idMapping(Config.of(record.config()));
      Machine.Disk root = root(record, mapping, attachments);
      SortedMap<String, Device> devices = withoutRoot(record);
      SortedMap<String, Machine.Disk> disks = new TreeMap<>();
      for (String name : List.copyOf(devices.keySet())) {
        if (devices.get(name) instanceof Device.Disk disk) {
          Optional<Machine.Disk> source = source(record, name, disk, mapping, attachments);
          if (source.isPresent()) {
            disks.put(name, source.get());
          } else {
            devices.remove(name);
          }
        }
      }
      Attached attached = new Attached(spec(record, devices, root, disks), attachments);
      complete = true;
      return attached;
    } finally {
      if (!complete) {
        Resources.closeAll(attachments.values());
      }
    }
  }

  /**
   * Attaches the disks of a machine that runs already, as far as they can be reached: it has them
   * in any case. Where it could lose one while it runs, it keeps also those that cannot be reached.
   */
  Attached reattach(InstanceRecord record, InstanceDriver driver, Optional<IdMapping> mapping) {
    SortedMap<String, StoragePool.Attachment> attachments = new TreeMap<>();
    Machine.Disk root =
        reached(record, "root", () -> Optional.of(root(record, mapping, attachments)))
            .orElse(UNATTACHED);
    SortedMap<String, Device> devices = withoutRoot(record);
    SortedMap<String, Machine.Disk> disks = new TreeMap<>();
    for (String name : List.copyOf(devices.keySet())) {
      if (devices.get(name) instanceof Device.Disk disk) {
        Optional<Machine.Disk> source =
            reached(record, name, () -> source(record, name, disk, mapping, attachments));
        source.ifPresent(found -> disks.put(name, found));
        if (source.isEmpty()) {
          blocks.keep(record.instanceId(), disk).ifPresent(kept -> attachments.put(name, kept));
        }
        if (source.isEmpty() && !driver.changesLive(Optional.of(disk), Optional.empty())) {
          devices.remove(name);
        }
      }
    }
    return new Attached(spec(record, devices, root, disks), attachments);
  }

  private static Optional<Machine.Disk> reached(
      InstanceRecord record, String device, Supplier<Optional<Machine.Disk>> disk) {
    try {
      return disk.get();
    } catch (StapesException e) {
      LOG.warn("{} runs, but its device {}: {}", record.subject(), device, e.getMessage());
      return Optional.empty();
    }
  }

  /** Attaches the disks among devices that a running machine gets. */
  Plugged plug(InstanceRecord after, Set<String> changed, Optional<IdMapping> mapping) {
    SortedMap<String, StoragePool.Attachment> attachments = new TreeMap<>();
    SortedMap<String, Machine.Disk> disks = new TreeMap<>();
    boolean complete = false;
    try {
      SortedMap<String, Device> devices = withoutRoot(after);
      for (String name : changed) {
        if (devices.get(name) instanceof Device.Disk disk) {
          source(after, name, disk, mapping, attachments)
              .ifPresent(found -> disks.put(name, found));
        }
      }
      complete = true;
      return new Plugged(changed, disks, attachments);
    } finally {
      if (!complete) {
        Resources.closeAll(attachments.values());
      }
    }
  }

  /** The spec of a running machine with another config, other devices, and other limits. */
  static Machine.Spec reconfigured(
      Machine.Spec spec, InstanceRecord after, SortedMap<String, String> config, Plugged plugged) {
    SortedMap<String, Device> devices = withoutRoot(after);
    SortedMap<String, Machine.Disk> before = new TreeMap<>(spec.disks());
    before.keySet().removeAll(plugged.devices());
    before.putAll(plugged.disks());
    devices
        .entrySet()
        .removeIf(
            device ->
                plugged.devices().contains(device.getKey())
                    ? device.getValue() instanceof Device.Disk
                        && !plugged.disks().containsKey(device.getKey())
                    : !spec.devices().containsKey(device.getKey()));
    SortedMap<String, Machine.Disk> disks = new TreeMap<>();
    before.forEach(
        (name, disk) ->
            disks.put(
                name,
                devices.get(name) instanceof Device.Disk wanted
                    ? disk.limits(wanted.limits())
                    : disk));
    Machine.Disk root =
        spec.root().equals(UNATTACHED)
            ? UNATTACHED
            : new Machine.Disk(
                    spec.root().path(),
                    spec.root().mapped(),
                    after.rootDisk().limits(),
                    after.rootDisk().bootPriority(),
                    after.rootDisk().io())
                .on(spec.root().device());
    return new Machine.Spec(
        spec.id(), spec.name(), spec.lifetime(), Config.of(config), devices, root, disks);
  }

  /** The spec that a running machine was to get, with nothing new attached. */
  static Machine.Spec attempted(
      Machine.Spec spec, InstanceRecord after, SortedMap<String, String> config) {
    Plugged none = new Plugged(Set.of(), new TreeMap<>(), new TreeMap<>());
    Machine.Spec same = reconfigured(spec, after, config, none);
    return new Machine.Spec(
        same.id(),
        same.name(),
        same.lifetime(),
        same.config(),
        withoutRoot(after),
        same.root(),
        same.disks());
  }

  private Machine.Disk root(
      InstanceRecord record,
      Optional<IdMapping> mapping,
      SortedMap<String, StoragePool.Attachment> attachments) {
    return attach(
        pools.pool(record.pool()),
        record.volumeId(),
        mapping,
        record.rootDisk(),
        ROOT,
        attachments);
  }

  private Optional<Machine.Disk> source(
      InstanceRecord record,
      String device,
      Device.Disk disk,
      Optional<IdMapping> mapping,
      SortedMap<String, StoragePool.Attachment> attachments) {
    String source = disk.source().orElseThrow();
    if (disk.pool().isPresent()) {
      String pool = disk.pool().get();
      String name = disk.volume().orElseThrow();
      VolumeRecord volume =
          catalog
              .volume(pool, name)
              .orElseThrow(() -> StapesException.notFound(VolumeRecord.subject(pool, name)));
      VolumeUse.requireFit(volume, record.type(), disk);
      if (volume.isDisk()) {
        return Optional.of(
            blocks.attach(
                pools.pool(pool),
                volume,
                record,
                disk,
                attachment -> attachments.put(device, attachment)));
      }
      try {
        return Optional.of(
            attach(pools.pool(pool), volume.volumeId(), mapping, disk, device, attachments));
      } catch (StapesException e) {
        boolean missing = e.kind() == StapesException.Kind.NOT_FOUND;
        if (missing && disk.subdirectory().isPresent() && !disk.required()) {
          return Optional.empty();
        }
        throw e;
      }
    }
    if (Files.exists(Path.of(source))) {
      return Optional.of(new Machine.Disk(Path.of(source), Optional.empty(), disk.limits()));
    }
    if (disk.required()) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND,
          record.subject(),
          "source of device " + device + " does not exist: \"" + source + "\"");
    }
    return Optional.empty();
  }

  private Machine.Disk attach(
      StoragePool pool,
      VolumeId volume,
      Optional<IdMapping> mapping,
      Device.Disk disk,
      String device,
      SortedMap<String, StoragePool.Attachment> attachments) {
    StoragePool.Attachment whole = pool.attach(volume, mapping, disk.readOnly());
    StoragePool.Attachment attachment =
        disk.subdirectory().map(below -> subdirectories.of(whole, below)).orElse(whole);
    attachments.put(device, attachment);
    return new Machine.Disk(
            attachment.path(), attachment.mapped(), disk.limits(), disk.bootPriority(), disk.io())
        .on(attachment.device());
  }

  private static SortedMap<String, Device> withoutRoot(InstanceRecord record) {
    SortedMap<String, Device> devices = record.typedDevices();
    devices
        .values()
        .removeIf(
            device ->
                device instanceof Device.None
                    || (device instanceof Device.Disk disk && disk.isRoot()));
    return devices;
  }

  private static Machine.Spec spec(
      InstanceRecord record,
      SortedMap<String, Device> devices,
      Machine.Disk root,
      SortedMap<String, Machine.Disk> disks) {
    return new Machine.Spec(
        record.instanceId(),
        record.name(),
        record.lifetime(),
        record.typedConfig(),
        devices,
        root,
        disks);
  }
}
