package dev.stapes.model;

/** A program in an instance ended with an exit code other than 0, and the caller wanted 0. */
public final class ExecException extends StapesException {
  private static final long serialVersionUID = 1L;
  private static final int TAIL = 500;

  private final transient ExecResult result;

  /** Made by {@link ExecResult#orThrow}. */
  ExecException(ExecResult result) {
    super(
        Kind.INVALID,
        "exec " + result.command().get(0),
        "exit code " + result.exitCode() + ": " + tail(result.stderr().strip()));
    this.result = result;
  }

  /** The whole result. */
  public ExecResult result() {
    return result;
  }

  private static String tail(String text) {
    return text.length() <= TAIL ? text : "…" + text.substring(text.length() - TAIL);
  }
}
