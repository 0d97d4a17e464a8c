package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import org.junit.jupiter.api.function.Executable;

/** That something is refused in the way that the SPI says. Never instantiated. */
final class Refusal {
  private Refusal() {}

  /** With an error of a kind, whose message names or quotes something. */
  static StapesException refused(StapesException.Kind kind, String quoted, Executable attempt) {
    StapesException error = refused(attempt);
    assertEquals(kind, error.kind(), () -> "kind of: " + error);
    String message = String.valueOf(error.getMessage());
    assertTrue(message.contains(quoted), () -> "does not name " + quoted + ": " + message);
    return error;
  }

  /** With an error of any kind. */
  static StapesException refused(Executable attempt) {
    StapesException error = assertThrows(StapesException.class, attempt);
    String message = String.valueOf(error.getMessage());
    assertTrue(
        message.startsWith(error.subject() + ": "), () -> "not <subject>: <what>: " + message);
    return error;
  }
}
