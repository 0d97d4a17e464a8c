package dev.stapes.model;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * How a program ended, with what it wrote.
 *
 * @param command what was executed; copied
 * @param exitCode as a shell reports it: 0 to 255, 126 not executable, 127 not found, 128 + n
 *     killed by signal n
 * @param output raw standard output
 * @param errors raw standard error
 */
public record ExecResult(List<String> command, int exitCode, Bytes output, Bytes errors) {
  /** Copies. */
  public ExecResult {
    command = List.copyOf(command);
  }

  /** Standard output as UTF-8. */
  public String stdout() {
    return output.utf8();
  }

  /** Standard error as UTF-8. */
  public String stderr() {
    return errors.utf8();
  }

  /**
   * This result, if the exit code is 0.
   *
   * @throws ExecException otherwise, with the exit code and the end of stderr
   */
  public ExecResult orThrow() {
    if (exitCode != 0) {
      throw new ExecException(this);
    }
    return this;
  }

  /** Bytes that cannot change. */
  public static final class Bytes {
    private final byte[] bytes;

    /** Copies. */
    public Bytes(byte[] bytes) {
      this.bytes = bytes.clone();
    }

    /** A copy of them. */
    public byte[] toArray() {
      return bytes.clone();
    }

    /** How many. */
    public int length() {
      return bytes.length;
    }

    /** As text. */
    public String utf8() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Bytes that && java.util.Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
      return java.util.Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return bytes.length + " bytes";
    }
  }
}
