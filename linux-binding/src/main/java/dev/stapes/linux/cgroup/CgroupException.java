package dev.stapes.linux.cgroup;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The kernel refused something on cgroupfs, or it did not happen in time.
 *
 * <p>The message reads {@code <path>: <call> ["value"]: <why>}; {@code why} is the kernel's text
 * for the error number, the only form in which {@code java.nio} hands it on.
 */
public class CgroupException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String path;
  private final @Nullable String value;
  private final String reason;

  CgroupException(String call, Path path, @Nullable String value, IOException cause) {
    this(call, path, value, reason(cause), cause);
  }

  CgroupException(
      String call, Path path, @Nullable String value, String reason, @Nullable Throwable cause) {
    super(path + ": " + call + (value == null ? "" : " \"" + value + "\"") + ": " + reason, cause);
    this.call = call;
    this.path = path.toString();
    this.value = value;
    this.reason = reason;
  }

  private static String reason(IOException cause) {
    if (cause instanceof NoSuchFileException) {
      return "No such file or directory";
    }
    if (cause instanceof FileSystemException refused && refused.getReason() != null) {
      return refused.getReason();
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  /** Returns what was tried: read, write, mkdir, rmdir, freeze, wait. */
  public String call() {
    return call;
  }

  /** Returns the file or directory it was tried on. */
  public String path() {
    return path;
  }

  /** Returns the value that was to be written, or null where nothing was to be. */
  public @Nullable String value() {
    return value;
  }

  /**
   * Returns why, in the kernel's words where they are the kernel's: {@code Device or resource
   * busy}.
   */
  public String reason() {
    return reason;
  }
}
