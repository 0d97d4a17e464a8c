package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.qemu.CpuInstanceProperties;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.DeviceDel;
import dev.stapes.qmp.qemu.DeviceDeletedEvent;
import dev.stapes.qmp.qemu.HotpluggableCPU;
import dev.stapes.qmp.qemu.QomSet;
import dev.stapes.qmp.qemu.QueryHotpluggableCpus;
import dev.stapes.qmp.qemu.ThrottleLimits;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Changes what a machine may use while it runs. */
final class VmLimits {
  /** QEMU's object that holds the root disk to its limits. */
  static final String ROOT_THROTTLE = "limits-root";

  private static final String OPERATIONS = "iops";
  private static final String PLUGGED = "/machine/peripheral/";
  private static final Duration UNPLUG = Duration.ofSeconds(20);

  private final String subject;
  private final Monitor monitor;

  VmLimits(String subject, Monitor monitor) {
    this.subject = subject;
    this.monitor = monitor;
  }

  /** See {@link VmMemory#set}. */
  void memory(Size wanted) {
    new VmMemory(subject, monitor).set(wanted);
  }

  /**
   * Gives the guest so many processors. Those that it was started with stay.
   *
   * @throws StapesException UNSUPPORTED where they are more or fewer than possible; TIMED_OUT where
   *     the guest does not let go of one
   */
  void processors(int wanted) {
    List<HotpluggableCPU> all =
        monitor.execute(QueryHotpluggableCpus.of()).stream()
            .sorted(Comparator.comparing(VmLimits::place))
            .toList();
    List<HotpluggableCPU> there = all.stream().filter(cpu -> cpu.qomPath().isPresent()).toList();
    if (wanted > all.size()) {
      throw impossible(wanted, "at most " + all.size());
    }
    if (wanted > there.size()) {
      all.stream()
          .filter(cpu -> cpu.qomPath().isEmpty())
          .limit(wanted - (long) there.size())
          .forEach(this::plug);
      return;
    }
    List<HotpluggableCPU> plugged = there.stream().filter(VmLimits::isPlugged).toList();
    int fewer = there.size() - wanted;
    if (fewer > plugged.size()) {
      throw impossible(wanted, "at least " + (there.size() - plugged.size()));
    }
    plugged.subList(plugged.size() - fewer, plugged.size()).forEach(this::unplug);
  }

  private StapesException impossible(int wanted, String possible) {
    return new StapesException(
        Kind.UNSUPPORTED,
        subject,
        "it can have " + possible + " processors while it runs: " + wanted);
  }

  private static long place(HotpluggableCPU cpu) {
    CpuInstanceProperties at = cpu.props();
    return (at.socketId().orElse(0) << 40)
        + (at.coreId().orElse(0) << 20)
        + at.threadId().orElse(0);
  }

  private static boolean isPlugged(HotpluggableCPU cpu) {
    return cpu.qomPath().orElse("").startsWith(PLUGGED);
  }

  private void plug(HotpluggableCPU cpu) {
    DeviceAdd.Builder device = DeviceAdd.builder(cpu.type()).id("cpu-" + place(cpu));
    cpu.props()
        .toJson()
        .properties()
        .forEach(at -> device.unknownMember(at.getKey(), at.getValue()));
    monitor.execute(device.build());
  }

  /** QEMU 7.2 tells of a processor's parts alone. */
  private static boolean isOf(DeviceDeletedEvent event, String path) {
    return event.path().equals(path) || event.path().startsWith(path + "/");
  }

  private void unplug(HotpluggableCPU cpu) {
    String path = cpu.qomPath().orElseThrow();
    try (QmpExpectation<DeviceDeletedEvent> deleted =
        monitor.client().expect(DeviceDeletedEvent.class, event -> isOf(event, path))) {
      monitor.execute(DeviceDel.of(path.substring(PLUGGED.length())));
      deleted.await(UNPLUG);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpTimeoutException e) {
      throw new StapesException(
          Kind.TIMED_OUT, subject, "the guest does not let go of a processor", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "device_del", e);
    }
  }

  /** Holds the root disk to its limits. */
  void rootDisk(Device.IoLimits limits) {
    monitor.execute(QomSet.of("/objects/" + ROOT_THROTTLE, "limits", throttle(limits).toJson()));
  }

  /** Limits in QEMU's words; what is 0 is not limited. */
  static ThrottleLimits throttle(Device.IoLimits limits) {
    return ThrottleLimits.builder()
        .bpsRead(bytes(limits.read()))
        .bpsWrite(bytes(limits.write()))
        .iopsRead(operations(limits.read()))
        .iopsWrite(operations(limits.write()))
        .build();
  }

  private static long bytes(Optional<String> limit) {
    return limit.filter(text -> !text.endsWith(OPERATIONS)).map(VmLimits::size).orElse(0L);
  }

  private static long size(String text) {
    return Size.parse(text).bytes();
  }

  private static long operations(Optional<String> limit) {
    return limit
        .filter(text -> text.endsWith(OPERATIONS))
        .map(text -> text.substring(0, text.length() - OPERATIONS.length()).strip())
        .map(Long::parseLong)
        .orElse(0L);
  }
}
