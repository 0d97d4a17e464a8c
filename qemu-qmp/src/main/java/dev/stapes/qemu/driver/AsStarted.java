package dev.stapes.qemu.driver;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.MemoryInfo;
import dev.stapes.qmp.qemu.ObjectPropertyInfo;
import dev.stapes.qmp.qemu.QomList;
import dev.stapes.qmp.qemu.QueryMemorySizeSummary;
import java.util.List;
import java.util.Set;

/** Whether a running machine is still what it is when it is started with the same arguments. */
final class AsStarted {
  private AsStarted() {}

  /**
   * Fails where it is not: its state would fit no other machine.
   *
   * @param memory that it has by its config
   * @param arguments that it was started with
   * @throws StapesException CONFLICT, naming what is another
   */
  static void require(String subject, Monitor monitor, Size memory, List<String> arguments) {
    Set<String> known = CommandLine.devices(arguments);
    for (ObjectPropertyInfo device : monitor.execute(QomList.of("/machine/peripheral"))) {
      if (device.type().startsWith("child<") && !known.contains(device.name())) {
        throw new StapesException(
            Kind.CONFLICT,
            subject,
            "its memory cannot be saved while it has device "
                + device.name()
                + ", which can be plugged in and out: remove it first");
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
    if (memory.bytes() != started) {
      throw new StapesException(
          Kind.CONFLICT,
          subject,
          "limits.memory was changed from " + new Size(started) + " while it ran: change it back");
    }
  }
}
