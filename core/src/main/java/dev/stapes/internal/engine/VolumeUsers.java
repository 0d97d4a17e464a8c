package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import dev.stapes.spi.StoragePool;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The instances that have a custom volume among their devices. */
final class VolumeUsers {
  private static final Logger LOG = LoggerFactory.getLogger(VolumeUsers.class);

  private final Catalog catalog;
  private final Machines machines;

  VolumeUsers(Catalog catalog, Machines machines) {
    this.catalog = catalog;
    this.machines = machines;
  }

  /** All of them, by name; also those that run with a disk that their record does not have. */
  List<InstanceRecord> of(VolumeRecord volume) {
    VolumeUse wanted = new VolumeUse(volume.pool(), volume.name());
    Set<InstanceId> holders = machines.holders(volume);
    return catalog.instances().stream()
        .map(Catalog.Stored::value)
        .filter(
            record ->
                holders.contains(record.instanceId())
                    || VolumeUse.of(record.typedDevices().values()).anyMatch(wanted::equals))
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
   * Those that have to stand still while the volume is copied file by file, as they may write to
   * it; and those that write to a disk, whatever the pool: what a guest has not written yet is in
   * no copy. See {@link #duringCopy}.
   */
  List<InstanceRecord> writers(VolumeRecord volume, StoragePool pool) {
    boolean atOnce = Machines.copiesAtOnce(pool);
    if (volume.contentType() == VolumeContent.ISO
        || (atOnce && volume.contentType() == VolumeContent.FILESYSTEM)) {
      return List.of();
    }
    return running(volume).stream()
        .filter(record -> mayWrite(record, volume))
        .filter(record -> !atOnce || !machines.isOutOfReach(record.instanceId()))
        .toList();
  }

  /** Copies a volume: the file systems of guests that write to it are at rest where they can be. */
  void duringCopy(VolumeRecord volume, StoragePool pool, Runnable copy) {
    machines.asOfOneMoment(writers(volume, pool), !Machines.copiesAtOnce(pool), copy);
  }

  /**
   * Lets those that run see that a disk has grown. Their locks are held. Who cannot be told now
   * sees it with the next update.
   */
  void tellGrown(VolumeRecord volume) {
    for (InstanceRecord user : running(volume)) {
      try {
        if (!machines.isOutOfReach(user.instanceId())) {
          machines
              .find(user.instanceId())
              .ifPresent(running -> running.machine().update(running.spec()));
        }
      } catch (StapesException e) {
        LOG.warn(
            "{} does not see that {} has grown: {}",
            user.subject(),
            volume.subject(),
            e.getMessage());
      }
    }
  }

  /**
   * What must be held of instances while the volume is copied: those that write to it, alone. Where
   * any would have to stand still none of the others starts meanwhile.
   */
  Locks.Claim claimOfCopy(VolumeRecord volume, StoragePool pool) {
    boolean free = Machines.copiesAtOnce(pool) && volume.contentType() == VolumeContent.FILESYSTEM;
    Set<String> others = free ? Set.of() : locks(of(volume));
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
