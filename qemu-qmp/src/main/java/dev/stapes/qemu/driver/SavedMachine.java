package dev.stapes.qemu.driver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is written beside the memory of a machine, after all the rest: where it is there, the rest
 * is whole.
 *
 * @param instance id of the one that was saved
 * @param qemu version that saved it
 * @param arguments that say what machine it was, see {@link CommandLine}
 * @param memoryLimit the text of limits.memory; a percentage is one of the host of the start
 * @param plugged devices that are no arguments
 * @param diskSize of its root disk
 * @param memorySize of the file with the memory; 0: the memory is among the devices
 * @param devicesHash SHA-256 of the file with the devices, hexadecimal
 */
record SavedMachine(
    String instance,
    String qemu,
    List<String> arguments,
    String memoryLimit,
    List<PluggedDevice> plugged,
    long diskSize,
    long memorySize,
    String devicesHash) {
  private static final int FORM = 1;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Copies. */
  SavedMachine {
    arguments = List.copyOf(arguments);
    plugged = List.copyOf(plugged);
  }

  /** What it had room for. */
  VmRoom room() {
    return VmRoom.of(arguments);
  }

  /** A spec with the memory that it had, where the same share of another host is another one. */
  Machine.Spec memoryOf(Machine.Spec spec) {
    if (!memoryLimit.endsWith("%") || !memoryLimit.equals(memoryLimit(spec))) {
      return spec;
    }
    String memory = VmRoom.memory(arguments).toString();
    return new Machine.Spec(
        spec.id(),
        spec.name(),
        spec.lifetime(),
        spec.config().with(InstanceKeys.LIMITS_MEMORY.name(), memory),
        spec.devices(),
        spec.root(),
        spec.disks());
  }

  /** The text of limits.memory. */
  static String memoryLimit(Machine.Spec spec) {
    return spec.config().get(InstanceKeys.LIMITS_MEMORY).orElse("");
  }

  /** The slots of devices that are plugged in, by their ids. */
  SortedMap<String, String> slots() {
    TreeMap<String, String> slots = new TreeMap<>();
    plugged.forEach(device -> slots.put(device.id(), device.slot()));
    return slots;
  }

  /** As text. */
  String write() {
    ObjectNode all = JSON.createObjectNode();
    all.put("form", FORM).put("instance", instance).put("qemu", qemu);
    arguments.forEach(all.putArray("arguments")::add);
    all.put("memoryLimit", memoryLimit);
    all.set("plugged", PluggedDevice.write(plugged));
    all.put("diskSize", diskSize).put("memorySize", memorySize).put("devicesHash", devicesHash);
    return all.toString();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws StapesException INVALID where it is none
   */
  static SavedMachine read(String subject, String text) {
    JsonNode all;
    try {
      all = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new StapesException(Kind.INVALID, subject, "its saved memory is damaged: " + e, e);
    }
    if (all.path("form").asInt() != FORM
        || !all.path("arguments").isArray()
        || all.path("devicesHash").asText().isEmpty()) {
      throw StapesException.invalid(subject, "its saved memory is damaged: no such form");
    }
    List<String> arguments = new ArrayList<>();
    all.path("arguments").forEach(each -> arguments.add(each.asText()));
    return new SavedMachine(
        all.path("instance").asText(),
        all.path("qemu").asText(),
        CommandLine.kept(arguments), // also where it was saved when more was kept
        all.path("memoryLimit").asText(),
        PluggedDevice.read(all.path("plugged")),
        all.path("diskSize").asLong(),
        all.path("memorySize").asLong(),
        all.path("devicesHash").asText());
  }

  /**
   * Fails where a machine is not the same.
   *
   * @param now its arguments
   * @param devices in slots: what they are, by id
   * @throws StapesException CONFLICT, with what differs first
   */
  void requireFit(
      String subject,
      String version,
      List<String> now,
      SortedMap<String, String> devices,
      long disk) {
    if (!qemu.equals(version)) {
      throw differs(subject, "QEMU " + qemu + " saved it, and this is " + version);
    }
    if (diskSize != disk) {
      throw differs(subject, "its disk had " + diskSize + " bytes, and has " + disk);
    }
    for (int i = 0; i < Math.max(arguments.size(), now.size()); i++) {
      String before = i < arguments.size() ? arguments.get(i) : "nothing";
      String after = i < now.size() ? now.get(i) : "nothing";
      if (!Microvm.isToldTheSame(before, after)) {
        throw differs(subject, "it had " + before + ", and now has " + after);
      }
    }
    TreeMap<String, String> missing = new TreeMap<>(devices);
    for (PluggedDevice device : plugged) {
      String after = missing.remove(device.id());
      if (!device.what().equals(after)) {
        throw differs(
            subject,
            "its device "
                + device.id()
                + " was "
                + device.what()
                + ", and is "
                + (after == null ? "not there now" : "now " + after));
      }
    }
    if (!missing.isEmpty()) {
      throw differs(subject, "it had no device " + missing.firstKey() + ": add it while it runs");
    }
  }

  private static StapesException differs(String subject, String what) {
    return new StapesException(
        Kind.CONFLICT, subject, "its saved memory does not fit what it is now: " + what);
  }
}
