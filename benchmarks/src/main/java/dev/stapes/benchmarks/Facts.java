package dev.stapes.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a report says of the run that it is about. */
public final class Facts {
  private Facts() {}

  /**
   * Those of any comparison, in order; more can be added.
   *
   * @param runs what they were, in words
   */
  public static Map<String, String> of(Place place, String runs) throws IOException {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Date", Instant.now().truncatedTo(ChronoUnit.MINUTES).toString());
    facts.put("Machine", System.getProperty("stapes.machine", "unknown").replace('_', ' '));
    facts.put(
        "Java",
        Runtime.version()
            + " with "
            + (Runtime.getRuntime().maxMemory() >> 20)
            + " MiB of heap, warm, one JVM for all");
    Path versions = place.peers().resolve("versions");
    if (Files.exists(versions)) {
      facts.put("Packages", String.join(", ", Files.readAllLines(versions)));
    }
    facts.put("Runs", runs);
    return facts;
  }
}
