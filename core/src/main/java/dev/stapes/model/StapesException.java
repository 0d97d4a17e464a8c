package dev.stapes.model;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The one exception of Stapes. {@link #kind()} says what the caller can do about it, {@link
 * #subject()} names the thing it is about, and the message reads {@code <subject>: <what failed>:
 * <why>} with the offending value in it.
 */
public class StapesException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What the caller can do. */
  public enum Kind {
    /** The named thing does not exist: look at the name. */
    NOT_FOUND,
    /** It exists already, or changed since it was read: read again, decide again. */
    CONFLICT,
    /** The input is wrong: the message quotes the value. */
    INVALID,
    /** Somebody else works on it: try again later. The message names the operation. */
    BUSY,
    /** This driver, kernel or host cannot do it, and never will without a change to them. */
    UNSUPPORTED,
    /** The kernel or a protection key refused: more privilege or another setting is needed. */
    DENIED,
    /** Space, memory, ids, inodes or another resource ran out. */
    EXHAUSTED,
    /** Something needed is not there now: a tool, a driver, a closed or locked root directory. */
    UNAVAILABLE,
    /** It did not happen in the time that the caller gave. */
    TIMED_OUT,
    /** The calling thread was interrupted; what had begun was rolled back. */
    INTERRUPTED,
    /** A defect of Stapes or an answer of the kernel that nobody expected. */
    INTERNAL
  }

  private final Kind kind;
  private final String subject;

  /**
   * An error without a cause.
   *
   * @param subject what it is about, such as {@code instance web}
   * @param problem what failed and why
   */
  public StapesException(Kind kind, String subject, String problem) {
    this(kind, subject, problem, null);
  }

  /** An error with the exception that led to it, or null. */
  public StapesException(Kind kind, String subject, String problem, @Nullable Throwable cause) {
    super(subject + ": " + problem, cause);
    this.kind = Objects.requireNonNull(kind, "kind");
    this.subject = Objects.requireNonNull(subject, "subject");
  }

  /** What the caller can do. */
  public final Kind kind() {
    return kind;
  }

  /** What it is about, such as {@code instance web}. */
  public final String subject() {
    return subject;
  }

  /** Shorthand for the most frequent kind: bad input. */
  public static StapesException invalid(String subject, String problem) {
    return new StapesException(Kind.INVALID, subject, problem);
  }

  /** Shorthand: the named thing does not exist. */
  public static StapesException notFound(String subject) {
    return new StapesException(Kind.NOT_FOUND, subject, "not found");
  }
}
