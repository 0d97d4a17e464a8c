package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.util.List;

/** What went wrong with a file of a virtual machine. */
final class IoFailure {
  /** How the JDK says that there is no space. */
  private static final List<String> FULL = List.of("No space left", "quota exceeded");

  private IoFailure() {}

  /** EXHAUSTED where there is no space, else INTERNAL. */
  static StapesException of(String subject, String what, IOException e) {
    String message = String.valueOf(e.getMessage());
    Kind kind = FULL.stream().anyMatch(message::contains) ? Kind.EXHAUSTED : Kind.INTERNAL;
    return new StapesException(kind, subject, what + ": " + e, e);
  }
}
