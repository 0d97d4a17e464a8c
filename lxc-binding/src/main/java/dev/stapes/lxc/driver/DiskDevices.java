package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.BlockDevice;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The block devices that hold an instance's disks: what the kernel throttles. */
final class DiskDevices {
  private DiskDevices() {}

  /**
   * The devices of those disks that have a limit.
   *
   * @throws StapesException UNSUPPORTED where a disk is on no block device
   */
  static Map<BlockDevice, Device.IoLimits> limited(Host host, Machine.Spec spec) {
    List<Machine.Disk> disks = new ArrayList<>(spec.disks().values());
    disks.add(spec.root());
    Map<BlockDevice, Device.IoLimits> limited = new LinkedHashMap<>();
    for (Machine.Disk disk : disks) {
      if (!disk.ioLimits().equals(Device.IoLimits.NONE)) {
        limited.put(
            of(host, disk.path())
                .orElseThrow(
                    () ->
                        new StapesException(
                            StapesException.Kind.UNSUPPORTED,
                            "disk " + disk.path(),
                            "I/O limits need a file system on a block device")),
            disk.ioLimits());
      }
    }
    return limited;
  }

  /**
   * The whole disk below a path of the host's mount namespace; a file system in memory has none.
   */
  static Optional<BlockDevice> of(Host host, Path path) {
    Mounts.Entry found = null;
    for (Mounts.Entry entry : host.mounts().below(Path.of("/"))) {
      if (path.startsWith(entry.target())
          && (found == null || entry.target().getNameCount() >= found.target().getNameCount())) {
        found = entry;
      }
    }
    if (found == null || !found.source().startsWith("/dev/")) {
      return Optional.empty();
    }
    try {
      long number = (Long) Files.getAttribute(Path.of(found.source()), "unix:rdev");
      int major = (int) ((number >>> 8) & 0xfff);
      int minor = (int) ((number & 0xff) | ((number >>> 12) & 0xfff00));
      return Optional.of(disk(new BlockDevice(major, minor)));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The kernel throttles whole disks only: of a partition, the disk that it is on. */
  private static BlockDevice disk(BlockDevice device) throws IOException {
    Path entry = Path.of("/sys/dev/block/" + device);
    if (!Files.exists(entry.resolve("partition"))) {
      return device;
    }
    return BlockDevice.parse(Files.readString(entry.toRealPath().resolveSibling("dev")).strip());
  }
}
