package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The instances that have a custom volume among their devices. */
final class VolumeUsers {
  private final Catalog catalog;
  private final Machines machines;

  VolumeUsers(Catalog catalog, Machines machines) {
    this.catalog = catalog;
    this.machines = machines;
  }

  /** All of them, by name. */
  List<InstanceRecord> of(VolumeRecord volume) {
    VolumeUse wanted = new VolumeUse(volume.pool(), volume.name());
    return catalog.instances().stream()
        .map(Catalog.Stored::value)
        .filter(record -> VolumeUse.of(record.typedDevices().values()).anyMatch(wanted::equals))
        .sorted(java.util.Comparator.comparing(InstanceRecord::name))
        .toList();
  }

  /** Those that run, or may. */
  List<InstanceRecord> running(VolumeRecord volume) {
    return of(volume).stream().filter(this::mayRun).toList();
  }

  private boolean mayRun(InstanceRecord record) {
    return machines.isOutOfReach(record.instanceId())
        || machines.find(record.instanceId()).isPresent();
  }

  /**
   * Those that have to stand still while the volume is copied: who may write to it while it is
   * copied file by file.
   */
  List<InstanceRecord> writers(VolumeRecord volume, StoragePool pool) {
    if (Machines.copiesAtOnce(pool)) {
      return List.of();
    }
    return running(volume).stream().filter(record -> mayWrite(record, volume)).toList();
  }

  /**
   * What must be held of instances while the volume is copied: those that write to it, alone. Where
   * the pool copies file by file none of the others starts meanwhile.
   */
  Locks.Claim claimOfCopy(VolumeRecord volume, StoragePool pool) {
    Set<String> others = Machines.copiesAtOnce(pool) ? Set.of() : locks(of(volume));
    return new Locks.Claim(locks(writers(volume, pool)), others);
  }

  static boolean mayWrite(InstanceRecord record, VolumeRecord volume) {
    VolumeUse wanted = new VolumeUse(volume.pool(), volume.name());
    Stream<Device> devices = record.typedDevices().values().stream();
    return VolumeUse.of(
            devices.filter(each -> each instanceof Device.Disk disk && !disk.readOnly()).toList())
        .anyMatch(wanted::equals);
  }

  /** The locks of instances. */
  static Set<String> locks(List<InstanceRecord> instances) {
    return instances.stream()
        .map(record -> Work.lockOf(record.instanceId()))
        .collect(Collectors.toSet());
  }

  /** Fails with BUSY where somebody uses a volume. */
  static void requireNone(String subject, List<InstanceRecord> users) {
    if (!users.isEmpty()) {
      throw new StapesException(
          Kind.BUSY,
          subject,
          "in use by "
              + users.stream().map(InstanceRecord::subject).collect(Collectors.joining(", ")));
    }
  }
}
