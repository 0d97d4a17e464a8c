package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.StapesException;
import java.util.function.Supplier;

/** Turns what the kernel answers into errors of Stapes. */
final class Failures {
  private Failures() {}

  /** Does some work; an error names the subject and what was wanted. */
  static <T> T naming(String subject, String wanted, Supplier<T> work) {
    try {
      return work.get();
    } catch (LinuxException e) {
      throw of(e, subject, wanted);
    }
  }

  /** The same without an answer. */
  static void naming(String subject, String wanted, Runnable work) {
    try {
      work.run();
    } catch (LinuxException e) {
      throw of(e, subject, wanted);
    }
  }

  static StapesException of(LinuxException e, String subject, String wanted) {
    return new StapesException(
        DriverErrors.kind(e.errno()), subject, wanted + ": " + e.getMessage(), e);
  }
}
