package dev.stapes.internal.engine;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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

  private final PoolService pools;
  private final Catalog catalog;

  Disks(PoolService pools, Catalog catalog) {
    this.pools = pools;
    this.catalog = catalog;
  }

  /** Volumes attached for a machine that is about to start. */
  record Attached(Machine.Spec spec, List<StoragePool.Attachment> attachments)
      implements AutoCloseable {
    @Override
    public void close() {
      Resources.closeAll(attachments);
    }
  }

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
    return spec(record, devices, UNATTACHED, disks);
  }

  /** Attaches root disk and disk devices. Where one fails the others are let go. */
  Attached attach(InstanceRecord record, InstanceDriver driver) {
    List<StoragePool.Attachment> attachments = new ArrayList<>();
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
        Resources.closeAll(attachments);
      }
    }
  }

  /**
   * Attaches the disks of a machine that runs already, as far as they can be reached: it has them
   * in any case.
   */
  Attached reattach(InstanceRecord record, Optional<IdMapping> mapping) {
    List<StoragePool.Attachment> attachments = new ArrayList<>();
    Machine.Disk root =
        reached(record, "root", () -> Optional.of(root(record, mapping, attachments)))
            .orElse(UNATTACHED);
    SortedMap<String, Device> devices = withoutRoot(record);
    SortedMap<String, Machine.Disk> disks = new TreeMap<>();
    for (String name : List.copyOf(devices.keySet())) {
      if (devices.get(name) instanceof Device.Disk disk) {
        Optional<Machine.Disk> source =
            reached(record, name, () -> source(record, name, disk, mapping, attachments));
        source.ifPresentOrElse(found -> disks.put(name, found), () -> devices.remove(name));
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

  /** The spec of a running machine with another config, and with other limits on its disks. */
  static Machine.Spec reconfigured(
      Machine.Spec spec, InstanceRecord after, SortedMap<String, String> config) {
    SortedMap<String, Device> devices = withoutRoot(after);
    devices.keySet().retainAll(spec.devices().keySet());
    SortedMap<String, Machine.Disk> disks = new TreeMap<>();
    spec.disks()
        .forEach(
            (name, disk) ->
                disks.put(
                    name,
                    devices.get(name) instanceof Device.Disk wanted
                        ? new Machine.Disk(disk.path(), disk.mapped(), wanted.limits())
                        : disk));
    Machine.Disk root =
        spec.root().equals(UNATTACHED)
            ? UNATTACHED
            : new Machine.Disk(spec.root().path(), spec.root().mapped(), after.rootDisk().limits());
    return new Machine.Spec(
        spec.id(), spec.name(), spec.lifetime(), Config.of(config), devices, root, disks);
  }

  private Machine.Disk root(
      InstanceRecord record,
      Optional<IdMapping> mapping,
      List<StoragePool.Attachment> attachments) {
    return attach(
        pools.pool(record.pool()),
        record.volumeId(),
        mapping,
        record.rootDisk().readOnly(),
        record.rootDisk().limits(),
        attachments);
  }

  private Optional<Machine.Disk> source(
      InstanceRecord record,
      String device,
      Device.Disk disk,
      Optional<IdMapping> mapping,
      List<StoragePool.Attachment> attachments) {
    String source = disk.source().orElseThrow();
    if (disk.pool().isPresent()) {
      String pool = disk.pool().get();
      VolumeId volume =
          catalog
              .volume(pool, source)
              .orElseThrow(() -> StapesException.notFound("volume " + pool + "/" + source))
              .value()
              .volumeId();
      return Optional.of(
          attach(pools.pool(pool), volume, mapping, disk.readOnly(), disk.limits(), attachments));
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

  private static Machine.Disk attach(
      StoragePool pool,
      VolumeId volume,
      Optional<IdMapping> mapping,
      boolean readOnly,
      Device.IoLimits limits,
      List<StoragePool.Attachment> attachments) {
    StoragePool.Attachment attachment = pool.attach(volume, mapping, readOnly);
    attachments.add(attachment);
    return new Machine.Disk(attachment.path(), attachment.mapped(), limits);
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
