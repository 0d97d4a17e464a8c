package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a monitor says first.
 *
 * @param version of the other side
 * @param capabilities that it offers, such as {@code oob}; all known ones have been switched on
 */
public record QmpGreeting(QmpVersion version, Set<String> capabilities) {
  static final String OOB = "oob";

  /** Copies. */
  public QmpGreeting {
    capabilities = Set.copyOf(capabilities);
  }

  static QmpGreeting of(JsonNode greeting) {
    JsonNode numbers = greeting.path("version").path("qemu");
    if (!numbers.path("major").isInt() || !numbers.path("minor").isInt()) {
      throw new QmpProtocolException("the greeting has no version");
    }
    QmpVersion version =
        new QmpVersion(
            numbers.path("major").intValue(),
            numbers.path("minor").intValue(),
            numbers.path("micro").asInt(0),
            greeting.path("version").path("package").asText(""));
    Set<String> capabilities = new TreeSet<>();
    greeting.path("capabilities").forEach(each -> capabilities.add(each.asText()));
    return new QmpGreeting(version, capabilities);
  }
}
