package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;

/**
 * Any event, by its name.
 *
 * @param eventName in the protocol
 * @param at when, by the clock of the other side
 * @param data of it; empty where it has none; not copied: nobody changes it
 */
public record RawEvent(String eventName, Instant at, ObjectNode data) implements QmpEvent {
  /** Of the clock: the year 10000, beyond which an Instant may not be printed. */
  private static final long LAST_SECOND = 253_402_300_799L;

  /**
   * The event that a message is.
   *
   * @throws QmpProtocolException where it is none
   */
  public static RawEvent of(ObjectNode message) {
    JsonNode name = message.path("event");
    JsonNode data = message.get("data");
    if (!name.isTextual() || (data != null && !data.isObject())) {
      throw new QmpProtocolException("an event without a name, or with data that are no object");
    }
    long seconds = message.path("timestamp").path("seconds").asLong(0);
    long micros = message.path("timestamp").path("microseconds").asLong(0);
    Instant at =
        Instant.ofEpochSecond(
            Math.max(0, Math.min(seconds, LAST_SECOND)),
            Math.max(0, Math.min(micros, 999_999)) * 1000);
    ObjectNode object =
        data instanceof ObjectNode given ? given : JsonNodeFactory.instance.objectNode();
    return new RawEvent(name.textValue(), at, object);
  }
}
