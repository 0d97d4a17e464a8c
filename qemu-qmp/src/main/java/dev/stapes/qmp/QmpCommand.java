package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A command with its arguments. Those of a known schema are generated records; {@link RawCommand}
 * is any other.
 *
 * @param <R> what it returns; {@link Void} where it returns nothing
 */
public interface QmpCommand<R> {
  /** Its name in the protocol, such as {@code query-status}. */
  String commandName();

  /** Its arguments, a new object each time; empty where it has none. */
  ObjectNode arguments();

  /**
   * Reads what the other side returned. Members that are not known are kept, not refused.
   *
   * @return null only where R is Void
   * @throws QmpProtocolException where it is not what the schema says
   */
  R result(JsonNode returned);
}
