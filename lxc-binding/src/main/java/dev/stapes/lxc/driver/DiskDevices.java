package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.BlockDevice;
import dev.stapes.linux.cgroup.IoThrottle;
import dev.stapes.model.Device;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The block devices that hold an instance's disks: what the kernel throttles. */
final class DiskDevices {
  private static final String OPERATIONS = "iops";

  private DiskDevices() {}

  /**
   * The limits of the devices that disks with a limit are on. Where several disks are on one device
   * the lowest limit holds: the kernel cannot tell the disks apart, and none may exceed its own.
   *
   * @throws StapesException UNSUPPORTED where a disk is on no block device
   */
  static Collection<IoThrottle> limited(Host host, Machine.Spec spec) {
    List<Machine.Disk> disks = new ArrayList<>(spec.disks().values());
    disks.add(spec.root());
    Map<BlockDevice, IoThrottle> limited = new LinkedHashMap<>();
    for (Machine.Disk disk : disks) {
      if (!disk.ioLimits().equals(Device.IoLimits.NONE)) {
        BlockDevice device =
            of(host, disk.path())
                .orElseThrow(
                    () ->
                        new StapesException(
                            StapesException.Kind.UNSUPPORTED,
                            "disk " + disk.path(),
                            "I/O limits need a file system on a block device"));
        limited.merge(device, throttle(device, disk.ioLimits()), DiskDevices::lowest);
      }
    }
    return limited.values();
  }

  private static IoThrottle throttle(BlockDevice device, Device.IoLimits limits) {
    return new IoThrottle(
        device,
        rate(limits.read(), false),
        rate(limits.write(), false),
        rate(limits.read(), true),
        rate(limits.write(), true));
  }

  private static @Nullable Long rate(Optional<String> limit, boolean operations) {
    if (limit.isEmpty() || limit.get().endsWith(OPERATIONS) != operations) {
      return null;
    }
    String text = limit.get();
    return operations
        ? Long.valueOf(text.substring(0, text.length() - OPERATIONS.length()).strip())
        : Long.valueOf(Size.parse(text).bytes());
  }

  private static IoThrottle lowest(IoThrottle a, IoThrottle b) {
    return new IoThrottle(
        a.device(),
        lower(a.readBytes(), b.readBytes()),
        lower(a.writeBytes(), b.writeBytes()),
        lower(a.readOperations(), b.readOperations()),
        lower(a.writeOperations(), b.writeOperations()));
  }

  private static @Nullable Long lower(@Nullable Long a, @Nullable Long b) {
    if (a == null || b == null) {
      return a == null ? b : a;
    }
    return Long.valueOf(Math.min(a, b));
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
