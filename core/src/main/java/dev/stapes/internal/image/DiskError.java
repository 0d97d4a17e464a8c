package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** What went wrong with a file of ours, as one of the kinds that a caller can act on. */
final class DiskError {
  private DiskError() {}

  static StapesException of(String subject, String problem, IOException e) {
    String message = String.valueOf(e.getMessage());
    StapesException.Kind kind = StapesException.Kind.INTERNAL;
    if (message.contains("No space left") || message.contains("quota exceeded")) {
      kind = StapesException.Kind.EXHAUSTED;
    } else if (e instanceof NoSuchFileException) {
      kind = StapesException.Kind.NOT_FOUND;
    } else if (e instanceof AccessDeniedException) {
      kind = StapesException.Kind.DENIED;
    } else if (e instanceof ClosedByInterruptException) {
      kind = StapesException.Kind.INTERRUPTED;
    }
    return new StapesException(kind, subject, problem + ": " + message, e);
  }
}
