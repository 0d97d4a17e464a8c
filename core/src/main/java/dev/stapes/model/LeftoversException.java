package dev.stapes.model;

import java.util.List;

/**
 * A rollback could not undo everything. It is always attached as suppressed to the error that
 * started the rollback, and names what is left behind; the next {@code Stapes.open} collects it.
 */
public final class LeftoversException extends StapesException {
  private static final long serialVersionUID = 1L;

  private final List<String> leftovers;

  /** Names what is left behind, newest first; the errors of each undo are suppressed. */
  public LeftoversException(String subject, List<String> leftovers) {
    super(Kind.INTERNAL, subject, "rollback left behind: " + String.join(", ", leftovers));
    this.leftovers = List.copyOf(leftovers);
  }

  /** What is left, in words such as {@code volume containers/abc}. */
  public List<String> leftovers() {
    return leftovers;
  }
}
