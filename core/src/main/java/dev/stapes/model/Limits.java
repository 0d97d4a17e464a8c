package dev.stapes.model;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Resource limits, typed; each is one {@code limits.*} key of the instance's config, so limits set
 * here and by {@code config(key, value)} are the same thing.
 *
 * @param entries values by config key, all valid; copied
 */
public record Limits(SortedMap<String, String> entries) {

  /** Copies and validates. */
  public Limits {
    entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
    for (String key : entries.keySet()) {
      if (!key.startsWith("limits.")) {
        throw StapesException.invalid("limits", "not a limit: \"" + key + "\"");
      }
    }
    InstanceKeys.SCHEMA.validate("limits", entries);
  }

  /** Collects limits. */
  public static Limits of(Consumer<Builder> options) {
    Builder builder = new Builder();
    options.accept(builder);
    return new Limits(builder.entries);
  }

  /** Each option sets one key; the last call of an option holds. */
  public static final class Builder {
    private final TreeMap<String, String> entries = new TreeMap<>();

    private Builder() {}

    /** So many CPUs, at least 1, chosen and rebalanced by the engine ({@code limits.cpu}). */
    public Builder cpus(int count) {
      return put(InstanceKeys.LIMITS_CPU, Integer.toString(count));
    }

    /**
     * Exactly these CPUs, such as {@code 0-3} or {@code 0,2}; a single CPU is {@code 1-1} ({@code
     * limits.cpu}).
     */
    public Builder cpuSet(String cpus) {
      return put(InstanceKeys.LIMITS_CPU, cpus);
    }

    /** A soft share of the CPU time under load, 1 to 100 percent. */
    public Builder cpuShare(int percent) {
      return put(InstanceKeys.LIMITS_CPU_ALLOWANCE, percent + "%");
    }

    /**
     * A hard slice: at most {@code quota} of CPU time in each {@code period}, whole milliseconds.
     */
    public Builder cpuQuota(Duration quota, Duration period) {
      return put(
          InstanceKeys.LIMITS_CPU_ALLOWANCE, quota.toMillis() + "ms/" + period.toMillis() + "ms");
    }

    /** Who comes first where instances share CPUs, 0 to 10, default 10. */
    public Builder cpuPriority(int priority) {
      return put(InstanceKeys.LIMITS_CPU_PRIORITY, Integer.toString(priority));
    }

    /** Memory, more than 0. */
    public Builder memory(Size size) {
      return put(InstanceKeys.LIMITS_MEMORY, size.toString());
    }

    /** Memory as a share of the host's, 1 to 100 percent. */
    public Builder memoryShare(int percent) {
      return put(InstanceKeys.LIMITS_MEMORY, percent + "%");
    }

    /** The memory limit yields while the host has memory to spare; the default is a hard limit. */
    public Builder memorySoft() {
      return put(InstanceKeys.LIMITS_MEMORY_ENFORCE, "soft");
    }

    /** Whether memory may be swapped out; the default is yes. */
    public Builder swap(boolean allowed) {
      return put(InstanceKeys.LIMITS_MEMORY_SWAP, Boolean.toString(allowed));
    }

    /** At most so much swap beside the memory limit. */
    public Builder swap(Size size) {
      return put(InstanceKeys.LIMITS_MEMORY_SWAP, Long.toString(size.bytes()));
    }

    /** At most so many processes and threads, at least 1. */
    public Builder processes(int count) {
      return put(InstanceKeys.LIMITS_PROCESSES, Integer.toString(count));
    }

    /** Who comes first at the disks under load, 0 to 10, default 5. */
    public Builder diskPriority(int priority) {
      return put(InstanceKeys.LIMITS_DISK_PRIORITY, Integer.toString(priority));
    }

    /** A resource limit of setrlimit(2) such as {@code nofile}, soft and hard alike. */
    public Builder kernel(String resource, long value) {
      return put("limits.kernel." + resource, value + ":" + value);
    }

    /** Any limit by its key and text. */
    public Builder raw(Map<String, String> limits) {
      entries.putAll(limits);
      return this;
    }

    private Builder put(ConfigKey<?> key, String value) {
      return put(key.name(), value);
    }

    private Builder put(String key, String value) {
      entries.put(key, value);
      return this;
    }
  }
}
