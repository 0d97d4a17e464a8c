package dev.stapes.qemu.driver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * What is written beside the memory of a machine, after all the rest: where it is there, the rest
 * is whole.
 *
 * @param instance id of the one that was saved
 * @param qemu version that saved it
 * @param arguments that say what machine it was, see {@link CommandLine}
 * @param diskSize of its root disk
 * @param memorySize of the file with the memory; 0: the memory is among the devices
 * @param devicesHash SHA-256 of the file with the devices, hexadecimal
 */
record SavedMachine(
    String instance,
    String qemu,
    List<String> arguments,
    long diskSize,
    long memorySize,
    String devicesHash) {
  private static final int FORM = 1;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Copies. */
  SavedMachine {
    arguments = List.copyOf(arguments);
  }

  /** As text. */
  String write() {
    ObjectNode all = JSON.createObjectNode();
    all.put("form", FORM).put("instance", instance).put("qemu", qemu);
    arguments.forEach(all.putArray("arguments")::add);
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
        arguments,
        all.path("diskSize").asLong(),
        all.path("memorySize").asLong(),
        all.path("devicesHash").asText());
  }

  /**
   * Fails where a machine is not the same.
   *
   * @throws StapesException CONFLICT, with what differs first
   */
  void requireFit(String subject, String version, List<String> now, long disk) {
    if (!qemu.equals(version)) {
      throw differs(subject, "QEMU " + qemu + " saved it, and this is " + version);
    }
    if (diskSize != disk) {
      throw differs(subject, "its disk had " + diskSize + " bytes, and has " + disk);
    }
    for (int i = 0; i < Math.max(arguments.size(), now.size()); i++) {
      String before = i < arguments.size() ? arguments.get(i) : "nothing";
      String after = i < now.size() ? now.get(i) : "nothing";
      if (!before.equals(after)) {
        throw differs(subject, "it had " + before + ", and now has " + after);
      }
    }
  }

  private static StapesException differs(String subject, String what) {
    return new StapesException(
        Kind.CONFLICT, subject, "its saved memory does not fit what it is now: " + what);
  }
}
