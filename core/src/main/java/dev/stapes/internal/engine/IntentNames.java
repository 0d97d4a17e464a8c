package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import java.util.Optional;

/** What the intents are called of which an instance has one of each kind at most. */
final class IntentNames {
  private static final String REST = "rest-";

  private IntentNames() {}

  /** Its machine stands still, and is to go on. */
  static String still(InstanceId id) {
    return "still-" + id;
  }

  /** Its machine stands still while it is copied. */
  static String copied(InstanceId id) {
    return "copy-" + id;
  }

  /** Its file systems are at rest while it is copied. */
  static String atRest(InstanceId id) {
    return REST + id;
  }

  /** Whose file systems an intent says are at rest; empty where it says something else. */
  static Optional<InstanceId> instanceAtRest(String intent) {
    return intent.startsWith(REST)
        ? Optional.of(new InstanceId(intent.substring(REST.length())))
        : Optional.empty();
  }
}
