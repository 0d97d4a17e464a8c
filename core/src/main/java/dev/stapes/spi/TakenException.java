package dev.stapes.spi;

import dev.stapes.model.StapesException;

/**
 * What a driver chose for an instance is in use outside of all that it knows. It remembers that,
 * and chooses another one when it is asked again.
 */
public final class TakenException extends StapesException {
  private static final long serialVersionUID = 1L;

  /** Of kind BUSY. */
  public TakenException(String subject, String problem, Throwable cause) {
    super(Kind.BUSY, subject, problem, cause);
  }
}
