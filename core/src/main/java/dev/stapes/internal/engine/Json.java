package dev.stapes.internal.engine;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.stapes.model.StapesException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Records as JSON texts. Members that this version does not know are passed over. Records that are
 * read again and again can be remembered by their texts: they must not change then.
 */
final class Json<T> {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final ObjectReader reader;
  private final ObjectWriter writer;
  private final @Nullable Cache<String, T> remembered;

  private Json(Class<T> type, @Nullable Cache<String, T> remembered) {
    reader = MAPPER.readerFor(type);
    writer = MAPPER.writerFor(type);
    this.remembered = remembered;
  }

  static <T> Json<T> of(Class<T> type) {
    return new Json<>(type, null);
  }

  /**
   * The same for records that do not change.
   *
   * @param most how many are remembered
   */
  static <T> Json<T> remembering(Class<T> type, int most) {
    // Else its upkeep runs in the common pool, in threads that no close() joins.
    return new Json<>(
        type, Caffeine.newBuilder().maximumSize(most).executor(Runnable::run).build());
  }

  String write(T value) {
    try {
      String text = writer.writeValueAsString(value);
      remember(text, value);
      return text;
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
    T known = remembered == null ? null : remembered.getIfPresent(text);
    if (known != null) {
      return known;
    }
    try {
      T read = reader.readValue(text);
      remember(text, read);
      return read;
    } catch (JsonProcessingException e) {
      throw unreadable(key, e);
    }
  }

  /**
   * One member of a record, a string, without the rest: for recovery, which reads very many.
   *
   * @throws StapesException INTERNAL where there is none
   */
  static String member(String key, String text, String name) {
    try (JsonParser parser = MAPPER.createParser(text)) {
      parser.nextToken();
      for (String at = parser.nextFieldName(); at != null; at = parser.nextFieldName()) {
        JsonToken value = parser.nextToken();
        if (at.equals(name) && value == JsonToken.VALUE_STRING) {
          return parser.getText();
        }
        parser.skipChildren();
      }
    } catch (IOException e) {
      throw unreadable(key, e);
    }
    throw unreadable(key, new IOException("no member " + name));
  }

  private static StapesException unreadable(String key, IOException cause) {
    return new StapesException(
        StapesException.Kind.INTERNAL, "state store", "unreadable record " + key, cause);
  }

  private void remember(String text, T value) {
    if (remembered != null) {
      remembered.put(text, value);
    }
  }
}
