package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.LongNode;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.Balloon;
import dev.stapes.qmp.qemu.MemoryDeviceInfo;
import dev.stapes.qmp.qemu.QomSet;
import dev.stapes.qmp.qemu.QueryMemoryDevices;
import dev.stapes.qmp.qemu.QueryMemorySizeSummary;
import dev.stapes.qmp.qemu.VirtioMEMDeviceInfo;
import java.util.Optional;

/**
 * How much memory a machine has while it runs: less than it was started with by its balloon, more
 * by a device of virtio-mem that is empty at the start. The guest is asked, and does what it can:
 * for more it needs the driver virtio_mem.
 */
final class VmMemory {
  /** The device that holds what it has more than at the start. */
  static final String DEVICE = "memory-more";

  /** What that device gives and takes at once. */
  static final long BLOCK = 2L << 20;

  private final String subject;
  private final Monitor monitor;

  VmMemory(String subject, Monitor monitor) {
    this.subject = subject;
    this.monitor = monitor;
  }

  /**
   * How many bytes a machine can have more than at the start; 0 where it has no such device.
   *
   * @param most that it can have in all
   */
  static long growth(VmPlan plan, Size most) {
    if (plan.board().equals("microvm") || plan.hugePages()) {
      return 0;
    }
    return Math.max(0, most.bytes() - plan.memory().bytes()) / BLOCK * BLOCK;
  }

  /**
   * Gives it so much.
   *
   * @throws StapesException UNSUPPORTED where it cannot have so much while it runs
   */
  void set(Size wanted) {
    long base = monitor.execute(QueryMemorySizeSummary.of()).baseMemory();
    long more = Math.max(0, wanted.bytes() - base);
    Optional<VirtioMEMDeviceInfo> device = device();
    long most = device.map(VirtioMEMDeviceInfo::maxSize).orElse(0L);
    if (more > most) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          subject,
          InstanceKeys.LIMITS_MEMORY.name()
              + " cannot grow beyond "
              + new Size(base + most)
              + " while it runs: "
              + wanted);
    }
    long request = more / BLOCK * BLOCK;
    if (device.isPresent() && device.get().requestedSize() != request) {
      String path = "/machine/peripheral/" + DEVICE;
      monitor.execute(QomSet.of(path, "requested-size", LongNode.valueOf(request)));
    }
    monitor.execute(Balloon.of(Math.min(base, wanted.bytes())));
  }

  private Optional<VirtioMEMDeviceInfo> device() {
    for (MemoryDeviceInfo info : monitor.execute(QueryMemoryDevices.of())) {
      if (info instanceof MemoryDeviceInfo.VirtioMem found
          && found.data().id().filter(DEVICE::equals).isPresent()) {
        return Optional.of(found.data());
      }
    }
    return Optional.empty();
  }
}
