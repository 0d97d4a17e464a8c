package dev.stapes.linux;

/**
 * How a process ended.
 *
 * @param exited whether it ended by itself; else a signal ended it
 * @param value the exit code 0 to 255, or the signal's number
 */
public record ExitStatus(boolean exited, int value) {
  /** The code as shells report it: the exit code, or 128 plus the signal. */
  public int code() {
    return exited ? value : 128 + value;
  }

  @Override
  public String toString() {
    return exited ? "exit code " + value : "signal " + value;
  }
}
