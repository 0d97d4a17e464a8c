package dev.stapes.qemu.driver;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.MemoryInfo;
import dev.stapes.qmp.qemu.ObjectPropertyInfo;
import dev.stapes.qmp.qemu.QomGet;
import dev.stapes.qmp.qemu.QomList;
import dev.stapes.qmp.qemu.QueryMemorySizeSummary;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Whether a running machine is still what it is when it is started with the same arguments. */
final class AsStarted {
  private static final String PLUGGED = "/machine/peripheral";

  /** What the ids of directories begin with. */
  private static final String SHARE = DiskId.of("").share();

  private AsStarted() {}

  /**
   * Fails where it is not: its state would fit no other machine.
   *
   * @param refusal what is not possible then, such as "it cannot move"
   * @param memory that it has by its config; empty: as much as it was started with
   * @param arguments that it was started with
   * @return the slots of devices that were plugged in, and can be again, by their ids
   * @throws StapesException CONFLICT, naming what is another
   */
  static SortedMap<String, String> require(
      String subject,
      String refusal,
      Monitor monitor,
      Optional<Size> memory,
      List<String> arguments) {
    Set<String> known = CommandLine.devices(arguments);
    Set<String> plugged =
        monitor.execute(QomList.of(PLUGGED)).stream()
            .filter(device -> device.type().startsWith("child<"))
            .map(ObjectPropertyInfo::name)
            .filter(name -> !known.contains(name))
            .collect(Collectors.toSet());
    TreeMap<String, String> slots = new TreeMap<>();
    for (String device : plugged) {
      if (!DiskId.isControllerOf(device, plugged)) {
        slots.put(device, slot(subject, refusal, monitor, device, plugged));
      }
    }
    MemoryInfo now = monitor.execute(QueryMemorySizeSummary.of());
    if (now.pluggedMemory().orElse(0) > 0) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          refusal
              + " while it has more memory than it was started with: "
              + new Size(now.pluggedMemory().getAsLong())
              + " have yet to be given back by its guest");
    }
    long started = now.baseMemory();
    if (memory.isPresent() && memory.get().bytes() != started) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          refusal
              + ": limits.memory was changed from "
              + new Size(started)
              + " while it ran: change it back");
    }
    return slots;
  }

  /** Of a disk on a controller that of the controller. */
  private static String slot(
      String subject, String refusal, Monitor monitor, String device, Set<String> plugged) {
    if (device.startsWith(SHARE)) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          refusal
              + " while it has the directory "
              + device.substring(SHARE.length())
              + " of the host: remove it first");
    }
    String slot = bus(monitor, device);
    String controller = slot.substring(0, Math.max(slot.lastIndexOf('.'), 0));
    if (DiskId.isControllerOf(controller, plugged)) {
      slot = bus(monitor, controller);
    }
    if (!slot.startsWith(PciSlots.NAME)) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          refusal
              + " while it has device "
              + device
              + ", which can be plugged in and out: remove it first");
    }
    return slot;
  }

  private static String bus(Monitor monitor, String device) {
    String path = monitor.execute(QomGet.of(PLUGGED + "/" + device, "parent_bus")).asText();
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
