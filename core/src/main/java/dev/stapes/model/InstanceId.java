package dev.stapes.model;

import java.util.regex.Pattern;

/**
 * The identity of an instance, fixed at its creation; names change, ids do not. Everything on the
 * machine (volumes, cgroups, run directories) is named by it, which makes a rename one record.
 *
 * @param value 4 to 32 lower-case letters and digits
 */
public record InstanceId(String value) implements Comparable<InstanceId> {
  private static final Pattern FORM = Pattern.compile("[a-z0-9]{4,32}");

  /** Refuses what could not be part of a path or a cgroup name. */
  public InstanceId {
    if (!FORM.matcher(value).matches()) {
      throw StapesException.invalid("instance id", "must be 4 to 32 of a-z0-9: \"" + value + "\"");
    }
  }

  @Override
  public int compareTo(InstanceId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
