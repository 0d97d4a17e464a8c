package dev.stapes.lxc.driver;

import dev.stapes.model.InstanceState;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The counters of {@code /proc/PID/net/dev}, which are those of the process's network namespace.
 */
final class NetworkCounters {
  private static final int RECEIVED_BYTES = 0;
  private static final int RECEIVED_PACKETS = 1;
  private static final int SENT_BYTES = 8;
  private static final int SENT_PACKETS = 9;

  private NetworkCounters() {}

  /** Reads the text. */
  static SortedMap<String, InstanceState.NetworkCounters> parse(String text) {
    SortedMap<String, InstanceState.NetworkCounters> counters = new TreeMap<>();
    text.lines()
        .filter(line -> line.contains(":"))
        .forEach(
            line -> {
              int colon = line.indexOf(':');
              String[] numbers = line.substring(colon + 1).strip().split("\\s+");
              if (numbers.length > SENT_PACKETS) {
                counters.put(
                    line.substring(0, colon).strip(),
                    new InstanceState.NetworkCounters(
                        Long.parseUnsignedLong(numbers[RECEIVED_BYTES]),
                        Long.parseUnsignedLong(numbers[RECEIVED_PACKETS]),
                        Long.parseUnsignedLong(numbers[SENT_BYTES]),
                        Long.parseUnsignedLong(numbers[SENT_PACKETS])));
              }
            });
    return counters;
  }
}
