package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.stapes.linux.UnixSocket;
import dev.stapes.model.Device;
import dev.stapes.qmp.qemu.ChardevAdd;
import dev.stapes.qmp.qemu.ChardevRemove;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.Getfd;
import dev.stapes.qmp.qemu.QueryChardev;
import java.nio.file.Path;

/** Directories of the host that a machine has by virtio-fs. */
final class VmShares {
  private final Monitor monitor;
  private final HotPlug slots;
  private final ShareDaemons daemons;

  VmShares(Monitor monitor, HotPlug slots, ShareDaemons daemons) {
    this.monitor = monitor;
    this.slots = slots;
    this.daemons = daemons;
  }

  /**
   * Adds one; the guest has yet to mount it.
   *
   * @param source a directory of the host's mount namespace
   * @param throwaway whether it ends with this JVM
   */
  void plug(String name, Path source, Device.Disk disk, boolean throwaway) {
    DiskId id = DiskId.of(name);
    boolean done = false;
    try {
      try (UnixSocket daemon = daemons.start(id, source, disk, throwaway)) {
        monitor.execute(Getfd.of(id.share()), daemon.fd());
        monitor.execute(ChardevAdd.fromJson(channel(id)));
      }
      slots.add(
          DeviceAdd.builder("vhost-user-fs-pci")
              .id(id.share())
              .unknownMember("chardev", TextNode.valueOf(id.share()))
              .unknownMember("tag", TextNode.valueOf(id.key())));
      done = true;
    } finally {
      if (!done) {
        forget(id);
      }
    }
  }

  private static ObjectNode channel(DiskId id) {
    ObjectNode channel = JsonNodeFactory.instance.objectNode().put("id", id.share());
    ObjectNode socket = channel.putObject("backend").put("type", "socket").putObject("data");
    socket.put("server", false);
    socket.putObject("addr").put("type", "fd").putObject("data").put("str", id.share());
    return channel;
  }

  /** Whether a device is one. */
  boolean has(String name) {
    return hasChannel(DiskId.of(name));
  }

  /** Whether the guest sees it. */
  boolean isPlugged(String name) {
    return slots.has(DiskId.of(name).share());
  }

  private boolean hasChannel(DiskId id) {
    return monitor.execute(QueryChardev.of()).stream()
        .anyMatch(each -> each.label().equals(id.share()));
  }

  /** Removes one that the guest has unmounted. */
  void unplug(String name) {
    DiskId id = DiskId.of(name);
    slots.remove(id.share());
    forget(id);
  }

  private void forget(DiskId id) {
    if (hasChannel(id)) {
      monitor.execute(ChardevRemove.of(id.share()));
    }
    daemons.end(id);
  }
}
