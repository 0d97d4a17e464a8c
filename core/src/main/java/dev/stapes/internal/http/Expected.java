package dev.stapes.internal.http;

import dev.stapes.model.StapesException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * What is known of a file before it comes.
 *
 * @param size bytes, where known
 * @param sha256 64 hexadecimal digits in lower case, where known
 * @param most bytes that may come
 */
public record Expected(OptionalLong size, Optional<String> sha256, long most) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  /** Validates. */
  public Expected {
    if (sha256.isPresent() && !SHA256.matcher(sha256.get()).matches()) {
      throw StapesException.invalid("SHA-256", "must be 64 digits of 0-9 and a-f");
    }
    if (most < 0 || size.orElse(0) < 0 || size.orElse(0) > most) {
      throw StapesException.invalid(
          "file", "must have 0 to " + most + " bytes: " + size.orElse(most));
    }
  }

  /** Nothing but a limit. */
  public static Expected atMost(long most) {
    return new Expected(OptionalLong.empty(), Optional.empty(), most);
  }

  /** All of it. */
  public static Expected of(long size, String sha256) {
    return new Expected(OptionalLong.of(size), Optional.of(sha256), size);
  }
}
