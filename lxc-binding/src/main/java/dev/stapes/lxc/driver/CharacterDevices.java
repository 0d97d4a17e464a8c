package dev.stapes.lxc.driver;

import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts.Flag;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Nodes of the host's character devices with the owner and mode that an instance wants: on a small
 * file system of their own, since directories for run-time files do not let devices work.
 */
final class CharacterDevices {
  private CharacterDevices() {}

  /**
   * One node.
   *
   * @param path in the host's mount namespace
   * @param major number
   * @param minor number
   */
  record Node(Path path, int major, int minor) {}

  /** Makes the nodes of an instance, by device name. */
  static Map<String, Node> create(
      Host host, Machine.Spec spec, Optional<IdMapping> mapping, RunFiles files)
      throws IOException {
    Map<String, Device.UnixChar> wanted = new TreeMap<>();
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.UnixChar unix) {
                wanted.put(name, unix);
              }
            });
    Map<String, Node> nodes = new TreeMap<>();
    if (wanted.isEmpty()) {
      return nodes;
    }
    Files.createDirectory(files.devices());
    Path place = files.inNamespace().devices();
    host.mounts()
        .mount("devices", place, "tmpfs", Set.of(Flag.NOSUID, Flag.NOEXEC), "size=64k,mode=0711");
    try (Tree tree = host.tree(host.mounts().local(place), Tree.Resolution.BENEATH)) {
      for (Map.Entry<String, Device.UnixChar> entry : wanted.entrySet()) {
        Optional<Node> node = node(tree, entry.getKey(), entry.getValue(), mapping, place);
        node.ifPresent(made -> nodes.put(entry.getKey(), made));
      }
    }
    return nodes;
  }

  /** Takes the file system away. Does nothing where there is none. */
  static void remove(Host host, RunFiles files) {
    Path place = files.inNamespace().devices();
    if (Files.isDirectory(files.devices())
        && host.mounts().below(place).stream().anyMatch(entry -> entry.target().equals(place))) {
      host.mounts().unmount(place);
    }
  }

  private static Optional<Node> node(
      Tree tree, String name, Device.UnixChar device, Optional<IdMapping> mapping, Path place)
      throws IOException {
    Path source = Path.of(device.source());
    boolean there =
        Files.exists(source)
            && ((Integer) Files.getAttribute(source, "unix:mode") & 0170000) == 0020000;
    if (!there) {
      if (device.required()) {
        throw new StapesException(
            Kind.NOT_FOUND, "device " + name, "not a character device: \"" + source + "\"");
      }
      return Optional.empty();
    }
    long number = (Long) Files.getAttribute(source, "unix:rdev");
    int major = (int) ((number >>> 8) & 0xfff);
    int minor = (int) ((number & 0xff) | ((number >>> 12) & 0xfff00));
    long uid = mapping.map(map -> map.hostUid(device.uid()).orElse(0)).orElse(device.uid());
    long gid = mapping.map(map -> map.hostGid(device.gid()).orElse(0)).orElse(device.gid());
    tree.mknod(name, Tree.Type.CHARACTER_DEVICE, device.mode(), major, minor);
    tree.chown(name, uid, gid);
    return Optional.of(new Node(place.resolve(name), major, minor));
  }
}
