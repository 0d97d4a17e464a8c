package dev.stapes.qmp;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.OptionalLong;

/** Writes commands. */
final class Encoder {
  /** The other side may take no more than ASCII, and 0xFF must not come out of a string. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private Encoder() {}

  /**
   * A line with a command.
   *
   * @param verb {@code execute} or {@code exec-oob}
   */
  static byte[] encode(String verb, String commandName, ObjectNode arguments, long id) {
    return encode(verb, commandName, arguments, OptionalLong.of(id));
  }

  static byte[] encodeWithoutId(String commandName, ObjectNode arguments) {
    return encode("execute", commandName, arguments, OptionalLong.empty());
  }

  private static byte[] encode(
      String verb, String commandName, ObjectNode arguments, OptionalLong id) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(128);
    try (JsonGenerator json = MAPPER.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField(verb, commandName);
      if (!arguments.isEmpty()) {
        json.writeFieldName("arguments");
        MAPPER.writeTree(json, arguments);
      }
      if (id.isPresent()) {
        json.writeNumberField("id", id.getAsLong());
      }
      json.writeEndObject();
      json.writeRaw('\n');
    } catch (IOException e) {
      // Not as its cause: its message may have parts of the arguments.
      throw new IllegalArgumentException(
          commandName + ": the arguments cannot be written: " + e.getClass().getSimpleName());
    }
    return out.toByteArray();
  }
}
