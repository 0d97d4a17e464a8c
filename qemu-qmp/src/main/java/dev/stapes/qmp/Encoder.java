package dev.stapes.qmp;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes commands. */
final class Encoder {
  /** The other side may take no more than ASCII, and 0xFF must not come out of a string. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  /** The bytes behind the last member of a line. */
  private static final int END_OF_LINE = 2;

  private Encoder() {}

  /**
   * A line with a command that has no number.
   *
   * @param verb {@code execute} or {@code exec-oob}
   */
  static byte[] encode(String verb, String commandName, ObjectNode arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(128);
    try (JsonGenerator json = MAPPER.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField(verb, commandName);
      if (!arguments.isEmpty()) {
        json.writeFieldName("arguments");
        MAPPER.writeTree(json, arguments);
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

  /** The same line with a number, which its answer will have. */
  static byte[] numbered(byte[] line, long id) {
    byte[] end = (",\"id\":" + id + "}\n").getBytes(StandardCharsets.US_ASCII);
    int kept = line.length - END_OF_LINE;
    byte[] numbered = Arrays.copyOf(line, kept + end.length);
    System.arraycopy(end, 0, numbered, kept, end.length);
    return numbered;
  }
}
