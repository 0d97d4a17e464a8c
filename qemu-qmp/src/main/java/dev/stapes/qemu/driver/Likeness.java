package dev.stapes.qemu.driver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * In what two machines must be the same, for one to go on as the other.
 *
 * @param qemu version
 * @param arguments that say what machine it is, see {@link CommandLine}; copied
 * @param diskSize of its root disk
 * @param plugged devices that are no arguments; copied
 * @param bridges of the host that its interfaces are in, by device; copied
 */
record Likeness(
    String qemu,
    List<String> arguments,
    long diskSize,
    List<PluggedDevice> plugged,
    Map<String, String> bridges) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Copies. */
  Likeness {
    arguments = List.copyOf(arguments);
    plugged = List.copyOf(plugged);
    bridges = Map.copyOf(bridges);
  }

  /** The slots of devices that are plugged in, by their ids. */
  SortedMap<String, String> slots() {
    TreeMap<String, String> slots = new TreeMap<>();
    plugged.forEach(device -> slots.put(device.id(), device.slot()));
    return slots;
  }

  /** As text. */
  String write() {
    ObjectNode all = JSON.createObjectNode().put("qemu", qemu).put("diskSize", diskSize);
    arguments.forEach(all.putArray("arguments")::add);
    all.set("plugged", PluggedDevice.write(plugged));
    ObjectNode ports = all.putObject("bridges");
    new TreeMap<>(bridges).forEach(ports::put);
    return all.toString();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws StapesException INVALID where it is none
   */
  static Likeness read(String subject, String text) {
    try {
      JsonNode all = JSON.readTree(text);
      if (all.path("qemu").isTextual()
          && all.path("arguments").isArray()
          && all.path("diskSize").canConvertToLong()) {
        List<String> arguments = new ArrayList<>();
        all.path("arguments").forEach(each -> arguments.add(each.asText()));
        return new Likeness(
            all.path("qemu").asText(),
            arguments,
            all.path("diskSize").longValue(),
            PluggedDevice.read(all.path("plugged")),
            bridges(all.path("bridges")));
      }
    } catch (JsonProcessingException e) {
      throw new StapesException(Kind.INVALID, subject, "no description of a machine: " + e, e);
    }
    throw StapesException.invalid(subject, "no description of a machine: \"" + text + "\"");
  }

  private static Map<String, String> bridges(JsonNode ports) {
    TreeMap<String, String> bridges = new TreeMap<>();
    ports.properties().forEach(each -> bridges.put(each.getKey(), each.getValue().asText()));
    return bridges;
  }

  /**
   * Fails where a machine could not go on as this one. Its disk may be larger: pools round up.
   *
   * @throws StapesException CONFLICT, with what differs first
   */
  void requireSame(String subject, Likeness other) {
    if (!qemu.equals(other.qemu)) {
      throw differs(subject, "QEMU " + qemu, "QEMU " + other.qemu);
    }
    if (other.diskSize < diskSize) {
      throw differs(
          subject, "a disk of " + diskSize + " bytes", "one of " + other.diskSize + " bytes");
    }
    for (int i = 0; i < Math.max(arguments.size(), other.arguments.size()); i++) {
      String mine = i < arguments.size() ? arguments.get(i) : "nothing";
      String its = i < other.arguments.size() ? other.arguments.get(i) : "nothing";
      if (!Microvm.isToldTheSame(mine, its)) {
        throw differs(subject, mine, its);
      }
    }
  }

  /** The bytes of its disk, where that of another one has more. */
  OptionalLong diskSizeIn(Likeness other) {
    return other.diskSize > diskSize ? OptionalLong.of(diskSize) : OptionalLong.empty();
  }

  /**
   * Fails where one that has these devices could not go on as this one.
   *
   * @param devices what they are, by id
   * @throws StapesException CONFLICT, with the first that differs
   */
  void requireSameDevices(String subject, SortedMap<String, String> devices) {
    TreeMap<String, String> missing = new TreeMap<>(devices);
    for (PluggedDevice device : plugged) {
      String its = missing.remove(device.id());
      if (!device.what().equals(its)) {
        throw differs(
            subject,
            device.id() + ", " + device.what(),
            its == null ? "none" : device.id() + ", " + its);
      }
    }
    if (!missing.isEmpty()) {
      throw differs(subject, "none", missing.firstKey());
    }
  }

  private static StapesException differs(String subject, String mine, String its) {
    return new StapesException(
        Kind.CONFLICT, subject, "cannot go on here: it has " + mine + ", and would have " + its);
  }
}
