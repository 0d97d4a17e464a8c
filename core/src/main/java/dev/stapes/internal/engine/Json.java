package dev.stapes.internal.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.stapes.model.StapesException;
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
      throw new StapesException(
          StapesException.Kind.INTERNAL, "state store", "unreadable record " + key, e);
    }
  }

  private void remember(String text, T value) {
    if (remembered != null) {
      remembered.put(text, value);
    }
  }
}
