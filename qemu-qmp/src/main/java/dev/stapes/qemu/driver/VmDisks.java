package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.AddFd;
import dev.stapes.qmp.qemu.BlockDeviceInfo;
import dev.stapes.qmp.qemu.BlockResize;
import dev.stapes.qmp.qemu.BlockdevAdd;
import dev.stapes.qmp.qemu.BlockdevDel;
import dev.stapes.qmp.qemu.BlockdevOptions;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.FdsetFdInfo;
import dev.stapes.qmp.qemu.FdsetInfo;
import dev.stapes.qmp.qemu.ObjectAdd;
import dev.stapes.qmp.qemu.ObjectDel;
import dev.stapes.qmp.qemu.ObjectOptions;
import dev.stapes.qmp.qemu.QomList;
import dev.stapes.qmp.qemu.QomSet;
import dev.stapes.qmp.qemu.QueryFdsets;
import dev.stapes.qmp.qemu.QueryNamedBlockNodes;
import dev.stapes.qmp.qemu.RemoveFd;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Files and block devices of the host that a machine has as disks beside its root disk. QEMU gets
 * them open: it may open nothing by itself.
 */
final class VmDisks {
  /** Others have no slots. */
  private static final String BOARD = "q35";

  private final Syscalls sys;
  private final String subject;
  private final Monitor monitor;
  private final HotPlug slots;

  VmDisks(Syscalls sys, String subject, Monitor monitor, HotPlug slots) {
    this.sys = sys;
    this.subject = subject;
    this.monitor = monitor;
    this.slots = slots;
  }

  /**
   * One that is to be added.
   *
   * @param path a regular file, or a block device, where this JVM finds it
   * @param block whether it is a block device
   * @param form what the guest has it as
   */
  record Source(Path path, boolean block, Machine.Disk.Form form) {
    boolean readOnly(Device.Disk disk) {
      return disk.readOnly() || form == Machine.Disk.Form.CDROM;
    }
  }

  /**
   * Adds one.
   *
   * @param boot its place among what the firmware boots from
   */
  void plug(String name, Source source, Device.Disk disk, OptionalInt boot) {
    DiskId id = DiskId.of(name);
    boolean readOnly = source.readOnly(disk);
    try {
      monitor.execute(ObjectAdd.of(ObjectOptions.fromJson(group(id, disk.limits()))));
      long set = pass(name, source.path(), readOnly, disk.io(), id);
      ObjectNode node = node(id, set, source.block(), readOnly, disk.io());
      monitor.execute(BlockdevAdd.of(BlockdevOptions.fromJson(node)));
      attach(id, DiskBus.of("device " + name, disk.io(), source.form()), source.form(), boot);
    } catch (RuntimeException e) {
      try {
        Uninterrupted.run(() -> forget(id));
      } catch (RuntimeException next) {
        e.addSuppressed(next); // such as that the guest has it already
      }
      throw e;
    }
  }

  /** In one slot: itself, or the controller that it is on. */
  private void attach(DiskId id, DiskBus bus, Machine.Disk.Form form, OptionalInt boot) {
    DeviceAdd.Builder device =
        DeviceAdd.builder(bus.device(BOARD, form))
            .id(id.disk())
            .unknownMember("drive", TextNode.valueOf(id.disk()))
            .unknownMember("serial", TextNode.valueOf(id.key()));
    if (form == Machine.Disk.Form.SHARED) {
      device.unknownMember("share-rw", BooleanNode.TRUE); // else QEMU keeps others out by a lock
    }
    boot.ifPresent(index -> device.unknownMember("bootindex", IntNode.valueOf(index)));
    Optional<String> controller = bus.controller(BOARD);
    if (controller.isEmpty()) {
      slots.add(device);
      return;
    }
    slots.remove(id.controller()); // which may be left of one that failed
    slots.add(DeviceAdd.builder(controller.get()).id(id.controller()), id.disk());
    boolean done = false;
    try {
      monitor.execute(device.bus(id.controller() + ".0").build());
      done = true;
    } finally {
      if (!done) {
        Uninterrupted.run(() -> slots.withdraw(id.controller()));
      }
    }
  }

  private long pass(String name, Path path, boolean readOnly, Device.DiskIo io, DiskId id) {
    Set<OpenFlag> flags = EnumSet.of(OpenFlag.READ);
    if (!readOnly) {
      flags.add(OpenFlag.WRITE);
    }
    DiskCache.require(sys, "device " + name, path, io);
    if (DiskCache.isDirect(io)) {
      flags.add(OpenFlag.DIRECT); // QEMU 10 takes no other one
    }
    try (Fd fd = Fd.open(sys, path, flags)) {
      return monitor.execute(AddFd.builder().opaque(id.disk()).build(), fd).fdsetId();
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "source of device " + name + " cannot be opened: " + e.getMessage(),
          e);
    }
  }

  private static ObjectNode group(DiskId id, Device.IoLimits limits) {
    ObjectNode group = JsonNodeFactory.instance.objectNode();
    group.put("qom-type", "throttle-group").put("id", id.throttle());
    group.set("limits", VmLimits.throttle(limits).toJson());
    return group;
  }

  /** A raw disk below its limits, as the root disk is one. */
  static ObjectNode node(DiskId id, long set, boolean block, boolean readOnly, Device.DiskIo io) {
    ObjectNode file = JsonNodeFactory.instance.objectNode();
    file.put("driver", block ? "host_device" : "file").put("filename", "/dev/fdset/" + set);
    file.put("read-only", readOnly).put("discard", "unmap").put("aio", "threads");
    file.put("locking", "on");
    ObjectNode raw = JsonNodeFactory.instance.objectNode();
    raw.put("driver", "raw").put("read-only", readOnly).put("discard", "unmap");
    ObjectNode throttle = JsonNodeFactory.instance.objectNode();
    throttle.put("driver", "throttle").put("node-name", id.disk());
    throttle.put("throttle-group", id.throttle());
    throttle.put("read-only", readOnly).put("discard", "unmap");
    List.of(file, raw, throttle).forEach(each -> DiskCache.put(each, io));
    raw.set("file", file);
    throttle.set("file", raw);
    return throttle;
  }

  /** Whether the guest sees one. */
  boolean has(String name) {
    return slots.has(DiskId.of(name).disk());
  }

  /**
   * Removes one, if it is there.
   *
   * @throws StapesException BUSY or TIMED_OUT where the guest does not let go of it
   */
  void unplug(String name) {
    DiskId id = DiskId.of(name);
    slots.removeUnder(id.controller(), id.disk());
    slots.remove(id.disk());
    forget(id);
  }

  /** Removes what is behind a device that is gone, or never was. */
  private void forget(DiskId id) {
    if (monitor.execute(QueryNamedBlockNodes.of()).stream()
        .anyMatch(node -> node.nodeName().filter(id.disk()::equals).isPresent())) {
      monitor.execute(BlockdevDel.of(id.disk()));
    }
    for (FdsetInfo set : monitor.execute(QueryFdsets.of())) {
      if (set.fds().stream().anyMatch(fd -> fd.opaque().filter(id.disk()::equals).isPresent())) {
        monitor.execute(RemoveFd.of(set.fdsetId()));
      }
    }
    if (monitor.execute(QomList.of("/objects")).stream()
        .anyMatch(each -> each.name().equals(id.throttle()))) {
      monitor.execute(ObjectDel.of(id.throttle()));
    }
  }

  /**
   * Lets the guest see which of those that it may write to have grown.
   *
   * @param process QEMU's directory in procfs: its descriptors lead to what a disk is, whatever its
   *     name is by now
   */
  void grow(Path process) {
    Map<String, Path> opened = new HashMap<>();
    for (FdsetInfo set : monitor.execute(QueryFdsets.of())) {
      for (FdsetFdInfo fd : set.fds()) {
        Path file = process.resolve("fd").resolve(Long.toString(fd.fd()));
        fd.opaque().ifPresent(node -> opened.put(node, file));
      }
    }
    if (opened.isEmpty()) {
      return;
    }
    for (BlockDeviceInfo disk : monitor.execute(QueryNamedBlockNodes.of())) {
      String node = disk.nodeName().orElse("");
      Path file = opened.get(node);
      if (file != null && !disk.ro()) {
        long size = DiskSize.of(sys, file, subject, node);
        if (size > disk.image().virtualSize()) {
          // To the byte: QEMU truncates a file to what it is told.
          monitor.execute(BlockResize.builder(size).nodeName(node).build());
        }
      }
    }
  }

  /** Holds one to other limits. */
  void limit(String name, Device.IoLimits limits) {
    monitor.execute(
        QomSet.of(
            "/objects/" + DiskId.of(name).throttle(),
            "limits",
            VmLimits.throttle(limits).toJson()));
  }
}
