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
 * In what two machines must be the same, for one to go on as the other.
 *
 * @param qemu version
 * @param arguments that say what machine it is, see {@link CommandLine}; copied
 * @param diskSize of its root disk
 */
record Likeness(String qemu, List<String> arguments, long diskSize) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Copies. */
  Likeness {
    arguments = List.copyOf(arguments);
  }

  /** As text. */
  String write() {
    ObjectNode all = JSON.createObjectNode().put("qemu", qemu).put("diskSize", diskSize);
    arguments.forEach(all.putArray("arguments")::add);
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
        return new Likeness(all.path("qemu").asText(), arguments, all.path("diskSize").longValue());
      }
    } catch (JsonProcessingException e) {
      throw new StapesException(Kind.INVALID, subject, "no description of a machine: " + e, e);
    }
    throw StapesException.invalid(subject, "no description of a machine: \"" + text + "\"");
  }

  /**
   * Fails where a machine could not go on as this one.
   *
   * @throws StapesException CONFLICT, with what differs first
   */
  void requireSame(String subject, Likeness other) {
    if (!qemu.equals(other.qemu)) {
      throw differs(subject, "QEMU " + qemu, "QEMU " + other.qemu);
    }
    if (diskSize != other.diskSize) {
      throw differs(
          subject, "a disk of " + diskSize + " bytes", "one of " + other.diskSize + " bytes");
    }
    for (int i = 0; i < Math.max(arguments.size(), other.arguments.size()); i++) {
      String mine = i < arguments.size() ? arguments.get(i) : "nothing";
      String its = i < other.arguments.size() ? other.arguments.get(i) : "nothing";
      if (!mine.equals(its)) {
        throw differs(subject, mine, its);
      }
    }
  }

  private static StapesException differs(String subject, String mine, String its) {
    return new StapesException(
        Kind.CONFLICT, subject, "cannot go on here: it has " + mine + ", and would have " + its);
  }
}
