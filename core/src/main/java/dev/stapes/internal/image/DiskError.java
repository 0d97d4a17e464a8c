package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;

/** What went wrong with a file of ours, as one of the kinds that a caller can act on. */
public final class DiskError {
  /** How the JDK and the streams of a host say that there is no space. */
  private static final List<String> FULL =
      List.of("No space left", "quota exceeded", "ENOSPC", "EDQUOT");

  private DiskError() {}

  /** INTERNAL where no other kind is known. */
  public static StapesException of(String subject, String problem, IOException e) {
    return of(subject, problem, e, StapesException.Kind.INTERNAL);
  }

  /**
   * An error with the kind that fits.
   *
   * @param otherwise its kind where nothing more is known
   */
  public static StapesException of(
      String subject, String problem, IOException e, StapesException.Kind otherwise) {
    String message = String.valueOf(e.getMessage());
    StapesException.Kind kind = otherwise;
    if (FULL.stream().anyMatch(message::contains)) {
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
