package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The root disk, a file or a block device, and as arguments of QEMU. Saved memory fits the same
 * ones only: what nobody chose is not among them.
 */
final class RootDisk {
  /** The controller that it is on, where it is on one. */
  static final String CONTROLLER = "root-bus";

  private static final String SERIAL = "root";

  private RootDisk() {}

  /**
   * Of a machine.
   *
   * @param disk the file, or the block device
   */
  static List<String> arguments(VmPlan plan, Path disk, Device.IoLimits limits) {
    List<String> all = new ArrayList<>();
    ObjectNode group = JsonNodeFactory.instance.objectNode();
    group.put("qom-type", "throttle-group").put("id", VmLimits.ROOT_THROTTLE);
    group.set("limits", VmLimits.throttle(limits).toJson());
    all.addAll(List.of("-object", group.toString()));
    all.addAll(List.of("-blockdev", node(plan, disk).toString()));
    DiskBus bus = DiskBus.of("root disk", plan.rootIo());
    ObjectNode device = JsonNodeFactory.instance.objectNode();
    device.put("driver", bus.device(plan.board())).put("id", QemuArguments.ROOT_DEVICE);
    device.put("bootindex", plan.boot().root());
    bus.controller(plan.board())
        .ifPresent(
            controller -> {
              ObjectNode under = JsonNodeFactory.instance.objectNode();
              under.put("driver", controller).put("id", CONTROLLER);
              all.addAll(List.of("-device", under.toString()));
              device.put("bus", CONTROLLER + ".0");
            });
    device.put("drive", QemuArguments.ROOT_NODE).put("serial", SERIAL);
    all.addAll(List.of("-device", device.toString()));
    return all;
  }

  /**
   * Fails where it is not what a machine is to have as its disk.
   *
   * @param disk where this JVM finds it
   */
  static void require(Machine.Spec spec, String subject, Path disk) {
    boolean device = spec.root().device().isPresent();
    if (!(device ? isDevice(disk) : Files.isRegularFile(disk, LinkOption.NOFOLLOW_LINKS))) {
      boolean missing = Files.notExists(disk, LinkOption.NOFOLLOW_LINKS);
      String what = device ? " is no block device" : " is not a file";
      throw new StapesException(
          missing ? Kind.NOT_FOUND : Kind.INVALID,
          subject,
          "its disk " + spec.root().image() + (missing ? " is missing" : what));
    }
  }

  private static boolean isDevice(Path disk) {
    try {
      return VmDevices.isBlock(disk);
    } catch (IOException e) {
      return false;
    }
  }

  private static ObjectNode node(VmPlan plan, Path disk) {
    ObjectNode file = JsonNodeFactory.instance.objectNode();
    file.put("driver", plan.rootDevice() ? "host_device" : "file");
    file.put("filename", disk.toString());
    file.put("discard", "unmap").put("aio", "threads").put("locking", "on");
    ObjectNode raw = JsonNodeFactory.instance.objectNode();
    raw.put("driver", "raw").put("discard", "unmap");
    raw.put("detect-zeroes", "unmap");
    ObjectNode throttle = JsonNodeFactory.instance.objectNode();
    throttle.put("driver", "throttle").put("node-name", QemuArguments.ROOT_NODE);
    throttle.put("throttle-group", VmLimits.ROOT_THROTTLE).put("discard", "unmap");
    List.of(file, raw, throttle).forEach(each -> DiskCache.put(each, plan.rootIo()));
    raw.set("file", file);
    throttle.set("file", raw);
    return throttle;
  }
}
