package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** Changes of instances that stay what they are: config, devices, name. */
public final class InstanceChanges {
  private final Catalog catalog;
  private final Work work;
  private final Drivers drivers;
  private final PoolService pools;
  private final Machines machines;
  private final InstanceService instances;

  InstanceChanges(
      Catalog catalog,
      Work work,
      Drivers drivers,
      PoolService pools,
      Machines machines,
      InstanceService instances) {
    this.catalog = catalog;
    this.work = work;
    this.drivers = drivers;
    this.pools = pools;
    this.machines = machines;
    this.instances = instances;
  }

  /** Changes an instance. */
  public InstanceInfo update(InstanceId id, InstanceChange change) {
    List<Device> added = added(change);
    Locks.Claim claim = Work.ofInstance(id, added);
    return work.run(
        "instance-update",
        "instance " + id,
        () -> claim,
        Progress.NONE,
        step -> {
          Catalog.Stored<InstanceRecord> old = stored(id);
          InstanceRecord before = old.value();
          change
              .revision()
              .ifPresent(
                  expected -> {
                    if (expected != old.revision()) {
                      throw new StapesException(
                          Kind.CONFLICT,
                          before.subject(),
                          "changed since revision " + expected + ", now " + old.revision());
                    }
                  });
          VolumeUse.require(catalog, before.type(), added);
          InstanceRecord after = changed(before, change);
          applyLive(before, after, step);
          long revision =
              step.conclude(
                  catalog
                      .change(before.isThrowaway())
                      .unchanged(before, old.revision())
                      .put(after));
          work.happened("instance-updated", after.subject(), Map.of());
          return after.toInfo(instances.statusOf(after), revision);
        });
  }

  private InstanceRecord changed(InstanceRecord before, InstanceChange change) {
    drivers.schema(before.type()).validate(before.subject(), change.config());
    change.devices().keySet().forEach(Names::device);
    SortedMap<String, Device> devices = change.appliedTo(before.typedDevices());
    InstanceRecord after =
        before.with(
            change.description().orElse(before.description()),
            before.typedConfig().with(change.config()).values(),
            InstanceRecord.textsOf(devices));
    if (change.config().keySet().stream().anyMatch(ImageRequirements::isAbout)) {
      ImageRequirements.check(after.subject(), after.type(), after.typedConfig(), drivers);
    }
    requireSameRootPool(before, after, devices);
    drivers.of(after.type()).validate(Disks.unattached(after));
    return after;
  }

  private void requireSameRootPool(
      InstanceRecord before, InstanceRecord after, SortedMap<String, Device> devices) {
    long roots =
        devices.values().stream().filter(d -> d instanceof Device.Disk k && k.isRoot()).count();
    if (roots != 1) {
      throw StapesException.invalid(before.subject(), "would have " + roots + " root disks");
    }
    if (!after.rootDisk().pool().orElse(before.pool()).equals(before.pool())) {
      throw new StapesException(
          Kind.UNSUPPORTED, before.subject(), "a root disk cannot change its pool: copy instead");
    }
  }

  /** Makes what changed of a running instance take effect, and a new size of any. */
  private void applyLive(InstanceRecord before, InstanceRecord after, Work.Step step) {
    new RootDisks(pools, machines).resize(before, after, step);
    machines
        .find(before.instanceId())
        .ifPresent(running -> machines.update(running, before, after, step));
  }

  /** Gives an instance another name. */
  public void rename(InstanceId id, String newName) {
    Names.instance(newName);
    work.run(
        "instance-rename",
        "instance " + id,
        List.of(Work.lockOf(id), Work.lockOfName(newName)),
        step -> {
          InstanceRecord record = stored(id).value();
          instances.requireFree(newName);
          concludeAs(newName, record, step);
          return true;
        });
  }

  /**
   * Gives one that waits in a warm pool to who takes it: another name and other limits, in one
   * step.
   */
  void checkOut(InstanceId id, String name, InstanceChange change) {
    Locks.Claim claim = Work.ofInstance(id, added(change)).with(Work.lockOfName(name));
    work.run(
        "instance-take",
        "instance " + name,
        () -> claim,
        Progress.NONE,
        step -> {
          InstanceRecord waiting = stored(id).value();
          instances.requireFree(name);
          InstanceRecord before =
              waiting.with(
                  waiting.description(),
                  WarmStock.taken(waiting.typedConfig()).values(),
                  waiting.devices());
          InstanceRecord after = before;
          if (!change.isEmpty()) {
            VolumeUse.require(catalog, before.type(), added(change));
            after = changed(before, change);
            applyLive(before, after, step);
          }
          concludeAs(name, after, step);
          return true;
        });
  }

  /** Writes down a record under another name than it has. */
  private void concludeAs(String newName, InstanceRecord record, Work.Step step) {
    InstanceRecord renamed = Templates.deferred(record, "rename");
    step.conclude(catalog.change(record.isThrowaway()).rename(renamed, newName));
    work.happened("instance-renamed", "instance " + newName, Map.of("old_name", record.name()));
  }

  private static List<Device> added(InstanceChange change) {
    return change.devices().values().stream().flatMap(Optional::stream).toList();
  }

  private Catalog.Stored<InstanceRecord> stored(InstanceId id) {
    return catalog.require(id);
  }
}
