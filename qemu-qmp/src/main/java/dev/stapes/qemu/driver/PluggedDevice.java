package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * A device in a slot, which is a part of what is saved of a machine.
 *
 * @param id as QEMU knows it
 * @param slot where it is: a guest finds it there again
 * @param what it is, in words: what a guest sees of it, and of a disk when it was last written to
 */
record PluggedDevice(String id, String slot, String what) {
  /** Writes some. */
  static ArrayNode write(List<PluggedDevice> all) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    all.forEach(
        each ->
            array
                .addObject()
                .put("id", each.id())
                .put("slot", each.slot())
                .put("what", each.what()));
    return array;
  }

  /** Reads what {@link #write} wrote. */
  static List<PluggedDevice> read(JsonNode array) {
    List<PluggedDevice> all = new ArrayList<>();
    for (JsonNode each : array) {
      all.add(
          new PluggedDevice(
              each.path("id").asText(), each.path("slot").asText(), each.path("what").asText()));
    }
    return all;
  }

  /**
   * What a spec has in slots, by the ids of QEMU.
   *
   * @param local where this JVM finds a path of the host
   * @throws StapesException CONFLICT where memory cannot be saved beside one
   */
  static SortedMap<String, String> of(Machine.Spec spec, UnaryOperator<Path> local)
      throws IOException {
    DiskBus.requireSavable(spec);
    HostDevices.requireNone(spec);
    TreeMap<String, String> all = new TreeMap<>();
    for (Map.Entry<String, Device> each : spec.devices().entrySet()) {
      if (each.getValue() instanceof Device.Nic nic) {
        all.put(VmNics.device(each.getKey()), NicIdentity.seenInside(spec, each.getKey(), nic));
      } else if (each.getValue() instanceof Device.Disk disk) {
        Machine.Disk source = spec.disks().get(each.getKey());
        if (source == null) {
          throw new StapesException(
              Kind.UNAVAILABLE,
              "instance " + spec.name(),
              "source of device " + each.getKey() + " is missing");
        }
        put(each.getKey(), local.apply(source.path()), how(source, disk), all);
      }
    }
    return all;
  }

  private static String how(Machine.Disk source, Device.Disk disk) {
    String cd = source.form() == Machine.Disk.Form.CDROM ? ", a CD" : "";
    return on(disk.io()) + (disk.readOnly() ? ", read-only" : "") + cd;
  }

  private static void put(String name, Path path, String how, SortedMap<String, String> into)
      throws IOException {
    DiskId id = DiskId.of(name);
    if (Files.isDirectory(path)) {
      into.put(id.share(), "a directory" + how);
    } else if (Files.isRegularFile(path)) {
      String written = Files.getLastModifiedTime(path).toString();
      into.put(id.disk(), Files.size(path) + " bytes of " + written + how);
    } else {
      throw new StapesException(
          Kind.CONFLICT,
          "device " + name,
          "nobody sees whether a block device is written to while the memory of its guest is saved"
              + ": remove it first, or have it in a file");
    }
  }

  private static String on(Device.DiskIo io) {
    return io.bus()
        .filter(bus -> bus != Device.DiskIo.Bus.VIRTIO_BLK)
        .map(bus -> ", on " + bus.text())
        .orElse("");
  }

  /**
   * Those that a machine has.
   *
   * @param refusal what is not possible otherwise, such as "it cannot move"
   * @param slots by id
   * @param specified what its spec has, by id
   * @throws StapesException CONFLICT where these are not the same
   */
  static List<PluggedDevice> all(
      String subject,
      String refusal,
      Map<String, String> slots,
      SortedMap<String, String> specified) {
    List<PluggedDevice> all = new ArrayList<>();
    specified.forEach(
        (id, what) -> {
          String slot = slots.get(id);
          if (slot == null) {
            throw new StapesException(
                Kind.CONFLICT,
                subject,
                refusal + ": it lacks device " + id + ", which its config has");
          }
          all.add(new PluggedDevice(id, slot, what));
        });
    for (String id : slots.keySet()) {
      if (!specified.containsKey(id)) {
        throw new StapesException(
            Kind.CONFLICT,
            subject,
            refusal + " while it has device " + id + ", which its config has not");
      }
    }
    return all;
  }
}
