package dev.stapes.internal.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.stapes.model.StapesException;

/** Records as JSON texts. Members that this version does not know are passed over. */
final class Json<T> {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final ObjectReader reader;
  private final ObjectWriter writer;

  private Json(Class<T> type) {
    reader = MAPPER.readerFor(type);
    writer = MAPPER.writerFor(type);
  }

  static <T> Json<T> of(Class<T> type) {
    return new Json<>(type);
  }

  String write(T value) {
    try {
      return writer.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of ours is always JSON", e);
    }
  }

  /**
   * Reads a record.
   *
   * @param key for the error
   * @throws StapesException INTERNAL where the text is no such record
   */
  T read(String key, String text) {
    try {
      return reader.readValue(text);
    } catch (JsonProcessingException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, "state store", "unreadable record " + key, e);
    }
  }
}
