package dev.stapes.internal.engine;

import dev.stapes.model.VolumeKeys;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Names of snapshots that nobody named. */
final class SnapshotNames {
  private SnapshotNames() {}

  /**
   * One more than the highest number that the pattern has given.
   *
   * @param pattern with {@code %d}, see {@link VolumeKeys#SNAPSHOTS_PATTERN}
   */
  static String next(String pattern, Stream<String> names) {
    int number = pattern.indexOf("%d");
    Pattern form =
        Pattern.compile(
            Pattern.quote(pattern.substring(0, number))
                + "(\\d{1,9})"
                + Pattern.quote(pattern.substring(number + 2)));
    long next =
        names
            .map(form::matcher)
            .filter(Matcher::matches)
            .mapToLong(matcher -> Long.parseLong(matcher.group(1)) + 1)
            .max()
            .orElse(0);
    return VolumeKeys.snapshotName(pattern, next);
  }
}
