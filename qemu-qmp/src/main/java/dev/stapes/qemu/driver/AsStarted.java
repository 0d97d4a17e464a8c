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

/** Whether a running machine is still what it is when it is started with the same arguments. */
final class AsStarted {
  private static final String PLUGGED = "/machine/peripheral";

  /** What the ids of directories begin with. */
  private static final String SHARE = DiskId.of("").share();

  private AsStarted() {}

  /**
   * Fails where it is not: its state would fit no other machine.
   *
   * @param memory that it has by its config; empty: as much as it was started with
   * @param arguments that it was started with
   * @return the slots of devices that were plugged in, and can be again, by their ids
   * @throws StapesException CONFLICT, naming what is another
   */
  static SortedMap<String, String> require(
      String subject, Monitor monitor, Optional<Size> memory, List<String> arguments) {
    Set<String> known = CommandLine.devices(arguments);
    TreeMap<String, String> slots = new TreeMap<>();
    for (ObjectPropertyInfo device : monitor.execute(QomList.of(PLUGGED))) {
      if (device.type().startsWith("child<") && !known.contains(device.name())) {
        slots.put(device.name(), slot(subject, monitor, device.name()));
      }
    }
    MemoryInfo now = monitor.execute(QueryMemorySizeSummary.of());
    if (now.pluggedMemory().orElse(0) > 0) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          "its memory cannot be saved while it has more than it was started with: "
              + new Size(now.pluggedMemory().getAsLong())
              + " have yet to be given back by its guest");
    }
    long started = now.baseMemory();
    if (memory.isPresent() && memory.get().bytes() != started) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          "limits.memory was changed from " + new Size(started) + " while it ran: change it back");
    }
    return slots;
  }

  private static String slot(String subject, Monitor monitor, String device) {
    if (device.startsWith(SHARE)) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          "its memory cannot be saved while it has the directory "
              + device.substring(SHARE.length())
              + " of the host: remove it first");
    }
    String bus = monitor.execute(QomGet.of(PLUGGED + "/" + device, "parent_bus")).asText();
    String slot = bus.substring(bus.lastIndexOf('/') + 1);
    if (!slot.startsWith(PciSlots.NAME)) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          "its memory cannot be saved while it has device "
              + device
              + ", which can be plugged in and out: remove it first");
    }
    return slot;
  }
}
